// Rules of layers for their weights and outputs: penalties, which are added to the loss, and
// constraints, which hold after each step. Knows no training loop.
#pragma once

#include <memory>
#include <vector>

#include "base/options.h"
#include "constraints/constraint.h"
#include "layers/layer.h"
#include "regularizers/regularizer.h"

namespace lstmfast::model {

template <class T>
class WeightRules {
 public:
  // Adds the rules of a layer. Keys of its configuration: kernel_, recurrent_, bias_ and
  // embeddings_ with regularizer or constraint, each with .kind and the kind's options; constraints
  // also have .axis ("0", "1", negative numbers for the same, or "0,1"). Throws
  // std::invalid_argument that names the key.
  void read(const base::OptionReader& config, const layers::Parameters<T>& parameters);
  // Checks these keys of a layer whose weights are not declared yet.
  static void check(const base::OptionReader& config);

  // Frozen weights have no penalty and are not constrained.
  double penalty() const {
    double total = 0;
    for (const Rule& rule : rules_) {
      if (rule.regularizer == nullptr || !rule.owner->trainable()) continue;
      total += rule.regularizer->value(rule.layout, rule.values());
    }
    return total;
  }
  void add_gradients(const layers::GradientLayout<T>& layout, T* gradients) const {
    for (const Rule& rule : rules_) {
      if (rule.regularizer == nullptr || !rule.owner->trainable()) continue;
      const auto* const place = layout.find(*rule.owner);
      if (place == nullptr) continue;
      if (place->touched != nullptr) place->touched->add_all();
      rule.regularizer->add_gradient(rule.layout, rule.values(), T(1),
                                     gradients + place->offset + rule.block);
    }
  }
  void constrain() const {
    for (const Rule& rule : rules_) {
      if (rule.constraint == nullptr || !rule.owner->trainable()) continue;
      rule.constraint->apply(rule.layout, rule.values());
    }
  }

 private:
  // Of one weight; either may be null.
  struct Rule {
    const layers::Parameters<T>* owner;
    ops::PartLayout layout;
    index block;
    std::unique_ptr<regularizers::Regularizer<T>> regularizer;
    std::unique_ptr<constraints::Constraint<T>> constraint;

    T* values() const { return owner->values() + block; }
  };

  std::vector<Rule> rules_;
};

// The penalty on a layer's outputs that its key activity_regularizer describes; null: none.
template <class T>
std::shared_ptr<const layers::OutputPenalty<T>> read_output_penalty(
    const base::OptionReader& layer);

}  // namespace lstmfast::model
