// A caller's arrays of samples and targets, and their names in errors. Owns nothing, knows no
// model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/batch_shape.h"
#include "base/plain.h"
#include "layers/shape.h"

namespace lstmfast::model {

// The data of one input: values, ids or both, as the graph's input carries.
template <class T>
struct InputArray {
  const T* values = nullptr;            // [count][shape], contiguous
  const std::int32_t* ids = nullptr;    // likewise
  layers::Shape shape;                  // of a sample
  const unsigned char* mask = nullptr;  // [count][mask_size()], 1: real; null: all are

  // Of ids each has its place in the mask, of values each row.
  index mask_size() const { return ids != nullptr ? shape.count() : shape.rows(); }
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
  // [count][weights_each]: the weight in the loss and in weighted metrics of each sample, or of
  // each row of its prediction; null: all 1.
  const T* weights = nullptr;
  index weights_each = 1;

  // Of the first `samples`; y is not null.
  base::BatchShape first(index samples) const {
    return {samples, shape.data() + 1, static_cast<index>(shape.size()) - 1};
  }
};

template <class T>
struct Examples {
  Samples<T> in;
  std::vector<Target<T>> targets;  // by output
};

// Element `at` of an array; null stays null.
template <class P>
P element(P array, index at) {
  return array == nullptr ? nullptr : array + at;
}

// "x", or of several arrays "x[1]".
inline std::string numbered(const std::string& name, std::size_t k, std::size_t count) {
  return count == 1 ? name : name + "[" + std::to_string(k) + "]";
}

// "x[3, 1]": element `at` of an array of samples with these axes.
inline std::string element_text(const std::string& name, index at, const base::BatchShape& shape) {
  std::string text = "]";
  for (index axis = shape.rank; axis-- > 0; at /= shape.axes[axis]) {
    text = ", " + std::to_string(at % shape.axes[axis]) + text;
  }
  return name + "[" + std::to_string(at) + text;
}

}  // namespace lstmfast::model
