// A constraint: what a weight is made to satisfy after each step of the optimizer, by Keras's
// formulas. Knows the packed layout, no layers and no training.
#pragma once

#include "base/registry.h"
#include "ops/panels.h"

namespace lstmfast::constraints {

template <class T>
class Constraint {
 public:
  virtual ~Constraint() = default;

  // Changes the part of the packed block in place. Padding is zero and stays so.
  virtual void apply(const ops::PartLayout& part, T* block) const = 0;
};

// All of constraints.def, for weights of that many axes.
const base::Registry<Constraint, std::size_t>& registry();

}  // namespace lstmfast::constraints
