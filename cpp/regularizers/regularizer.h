// A regularizer: a penalty on numbers, weights or outputs, by Keras's formulas. Knows the packed
// layout, no layers and no training.
#pragma once

#include <vector>

#include "base/registry.h"
#include "ops/panels.h"

namespace lstmfast::regularizers {

template <class T>
class Regularizer {
 public:
  virtual ~Regularizer() = default;

  // Whether the penalty is defined for a weight of that shape; no extents: for a layer's outputs.
  virtual bool suits(const std::vector<index>& shape) const = 0;

  // The penalty on a part of a packed block. Padding is zero and costs nothing. The order of
  // sums does not depend on threads.
  virtual double value(const ops::PartLayout& part, const T* block) const = 0;

  // gradient += scale * d value / d block. Laid out as the block, with which it shares no memory;
  // its padding is not changed.
  virtual void add_gradient(const ops::PartLayout& part, const T* block, T scale,
                            T* gradient) const = 0;
};

// All of regularizers.def.
const base::Registry<Regularizer>& registry();

}  // namespace lstmfast::regularizers
