// A caller's arrays of samples and targets. Owns nothing, knows no model.
#pragma once

#include <cstdint>
#include <vector>

#include "base/plain.h"
#include "layers/shape.h"

namespace lstmfast::model {

// The data of one input: values, ids or both, as the graph's input carries.
template <class T>
struct InputArray {
  const T* values = nullptr;          // [count][shape], contiguous
  const std::int32_t* ids = nullptr;  // likewise
  layers::Shape shape;                // of a sample
};

template <class T>
struct Samples {
  std::vector<InputArray<T>> inputs;
  index count = 0;
};

// The target of one output.
template <class T>
struct Target {
  const T* y = nullptr;      // contiguous; null: neither loss nor metrics need it
  std::vector<index> shape;  // begins with the number of samples
  // [count][weights_each]: the weight in the loss of each sample, or of each row of its prediction;
  // null: all 1.
  const T* weights = nullptr;
  index weights_each = 1;
};

template <class T>
struct Examples {
  Samples<T> in;
  std::vector<Target<T>> targets;  // by output
};

}  // namespace lstmfast::model
