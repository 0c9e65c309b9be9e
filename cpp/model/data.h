// Arrays of samples and targets as a caller hands them in. Owns nothing, knows no model.
#pragma once

#include <cstdint>
#include <vector>

#include "base/plain.h"
#include "layers/shape.h"

namespace lstmfast::model {

// What one input gets: values, ids, or both, as it carries.
template <class T>
struct InputArray {
  const T* values = nullptr;          // [count][shape], contiguous
  const std::int32_t* ids = nullptr;  // alike
  layers::Shape shape;                // of a sample
};

template <class T>
struct Samples {
  std::vector<InputArray<T>> inputs;
  index count = 0;
};

// What one output should be.
template <class T>
struct Target {
  const T* y = nullptr;      // contiguous; null: the output has no loss
  std::vector<index> shape;  // begins with the number of samples
  // [count][weights_each]: the part of each sample, or of each row of its prediction, in the loss;
  // null: 1.
  const T* weights = nullptr;
  index weights_each = 1;
};

template <class T>
struct Examples {
  Samples<T> in;
  std::vector<Target<T>> targets;  // by output
};

}  // namespace lstmfast::model
