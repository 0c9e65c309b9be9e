// Arrays of samples and targets as a caller hands them in. Owns nothing, knows no model.
#pragma once

#include <vector>

#include "base/plain.h"
#include "layers/shape.h"

namespace lstmfast::model {

template <class T>
struct Samples {
  const T* x = nullptr;  // [count][shape], contiguous
  index count = 0;
  layers::Shape shape;
};

template <class T>
struct Examples {
  Samples<T> in;
  const T* y = nullptr;        // contiguous
  std::vector<index> y_shape;  // begins with the number of samples
  // [count][weights_each]: the part of each sample, or of each row of its prediction, in the loss;
  // null: 1.
  const T* weights = nullptr;
  index weights_each = 1;
};

}  // namespace lstmfast::model
