// What a configuration asks of single weights beside the loss: penalties, which are part of it, and
// constraints, which hold after each step. Knows no layers but the names of their weights, and no
// training loop.
#pragma once

#include <memory>
#include <vector>

#include "base/options.h"
#include "constraints/constraint.h"
#include "layers/parameters.h"
#include "regularizers/regularizer.h"

namespace lstmfast::model {

// The regularizer that the keys below `key` describe, .kind first; null where there are none. It
// suits numbers of that shape.
template <class T>
std::unique_ptr<regularizers::Regularizer<T>> read_regularizer(const base::OptionReader& layer,
                                                               const std::string& key,
                                                               const std::vector<index>& shape);

template <class T>
class WeightRules {
 public:
  // Keys, below a parameter's path: kernel_, recurrent_ and bias_ with regularizer or constraint,
  // each with .kind and the kind's options; constraints also .axis ("0", "1", as negative numbers,
  // or "0,1"). Throws std::invalid_argument naming the key.
  void read(const base::OptionReader& config, const std::vector<layers::Parameter>& parameters);

  // `values` and `gradients` are flat blocks of all parameters.
  double penalty(const T* values) const {
    double total = 0;
    for (const auto& rule : penalties_)
      total += rule.regularizer->value(rule.layout, values + rule.block);
    return total;
  }
  void add_gradients(const T* values, T* gradients) const {
    for (const auto& rule : penalties_)
      rule.regularizer->add_gradient(rule.layout, values + rule.block, T(1),
                                     gradients + rule.block);
  }
  void constrain(T* values) const {
    for (const auto& rule : constraints_) rule.constraint->apply(rule.layout, values + rule.block);
  }

 private:
  struct Penalised {
    ops::PartLayout layout;
    index block;
    std::unique_ptr<regularizers::Regularizer<T>> regularizer;
  };
  struct Constrained {
    ops::PartLayout layout;
    index block;
    std::unique_ptr<constraints::Constraint<T>> constraint;
  };

  std::vector<Penalised> penalties_;
  std::vector<Constrained> constraints_;
};

}  // namespace lstmfast::model
