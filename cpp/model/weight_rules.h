// What a configuration asks of single weights beside the loss: constraints that hold after each
// step. Knows no layers but the names of their weights, and no training loop.
#pragma once

#include <memory>
#include <vector>

#include "base/flat_config.h"
#include "constraints/constraint.h"
#include "layers/parameters.h"

namespace lstmfast::model {

template <class T>
class WeightRules {
 public:
  // Keys, below a parameter's path: kernel_constraint, recurrent_constraint and bias_constraint,
  // each with .kind, .axis ("0", "1", as negative numbers, or "0,1") and the kind's options. Throws
  // std::invalid_argument naming the key.
  void read(const base::FlatConfig& config, const std::vector<layers::Parameter>& parameters);

  // `values` is the flat block of all parameters.
  void constrain(T* values) const {
    for (const auto& rule : constraints_) rule.constraint->apply(rule.layout, values + rule.block);
  }

 private:
  struct Constrained {
    ops::PartLayout layout;
    index block;
    std::unique_ptr<constraints::Constraint<T>> constraint;
  };

  std::vector<Constrained> constraints_;
};

}  // namespace lstmfast::model
