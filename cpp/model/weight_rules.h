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
  static void check(const base::OptionReader& config, std::size_t bias_rank);

  // Frozen weights have no penalty and are not constrained.
  double penalty() const {
    double total = 0;
    for (const Rule& rule : rules_) {
      if (rule.regularizer == nullptr || !rule.owner->trainable()) continue;
      rule.with_weight(rule.values(), [&](const ops::PartLayout& layout, T* values) {
        total += rule.regularizer->value(layout, values);
      });
    }
    return total;
  }
  void add_gradients(const layers::GradientLayout<T>& layout, T* gradients) const {
    for (const Rule& rule : rules_) {
      if (rule.regularizer == nullptr || !rule.owner->trainable()) continue;
      const auto* const place = layout.find(*rule.owner);
      if (place == nullptr) continue;
      if (place->touched != nullptr) place->touched->add_all();
      T* const gradient = gradients + place->offset + rule.block;
      rule.with_weight(rule.values(), [&](const ops::PartLayout& layout, T* values) {
        rule.with_weight(gradient, [&](const ops::PartLayout&, T* own) {
          rule.regularizer->add_gradient(layout, values, T(1), own);
        });
      });
    }
  }
  void constrain() const {
    for (const Rule& rule : rules_) {
      if (rule.constraint == nullptr || !rule.owner->trainable()) continue;
      rule.with_weight(rule.values(), [&](const ops::PartLayout& layout, T* values) {
        rule.constraint->apply(layout, values);
      });
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

    // f(layout, array) for an array of the weight; for one whose rows have their gates in different
    // orders a logical copy, which becomes the array.
    template <class F>
    void with_weight(T* array, F f) const {
      if (layout.turned_rows == 0 || layout.turned_rows == layout.rows) return f(layout, array);
      std::vector<T> logical(static_cast<std::size_t>(layout.rows * layout.columns));
      ops::export_part(layout, static_cast<const T*>(array), logical.data());
      const index columns = layout.columns;
      f(ops::PartLayout{layout.rows, columns, 1, columns, 0, 1, layout.rows * columns, columns,
                        columns, false},
        logical.data());
      ops::import_part(layout, logical.data(), array);
    }
  };

  std::vector<Rule> rules_;
};

// The penalty on a layer's outputs that its key activity_regularizer describes; null: none.
template <class T>
std::shared_ptr<const layers::OutputPenalty<T>> read_output_penalty(
    const base::OptionReader& layer);

}  // namespace lstmfast::model
