// What the layers of attention share: ports query, value and key, dropout of the weights of values,
// the weights as output 1. Knows no projections.
#pragma once

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "layers/layer.h"
#include "layers/options.h"
#include "ops/attention.h"
#include "ops/random_mask.h"

namespace lstmfast::layers {

enum Port : std::size_t { kQuery, kValue, kKey, kPairs };

// Checks the three inputs; `features`: whether the key must have as many as the query.
inline void check_three(const char* kind, const Shapes& inputs, bool features) {
  constexpr const char* kNames[] = {"query", "value", "key"};
  for (std::size_t i = kQuery; i <= kKey; ++i) {
    const index size = inputs[i].rank == 2 ? inputs[i].sizes[1] : 0;
    LF_CHECK(size >= 1 && size <= kMaxUnits, "[" << kind << "] " << kNames[i]
                                                 << " of a sample has shape " << inputs[i].text()
                                                 << "; expected (steps, features)");
  }
  const Shape &query = inputs[kQuery], &value = inputs[kValue], &key = inputs[kKey];
  LF_CHECK(may_equal(value.sizes[0], key.sizes[0]),
           "[" << kind << "] value and key of a sample have shapes " << value.text() << " and "
               << key.text() << "; expected equal numbers of steps");
  LF_CHECK(!features || query.sizes[1] == key.sizes[1],
           "[" << kind << "] query and key of a sample have shapes " << query.text() << " and "
               << key.text() << "; expected equal numbers of features");
}

// What the layers have in common: dropout of the weights, masks, the two outputs.
template <class T, class Self>
class AttentionBase : public LayerWith<T, Self> {
 public:
  struct State : LayerState {
    base::Slot<T> weights, keep, dropped, scratch;
    base::Slot<double> sums;
    int threads = 1;
  };

  explicit AttentionBase(const base::Values& options)
      : rate_(options["dropout"].number()),
        seed_(read_seed(options)),
        causal_(options["use_causal_mask"].flag()) {}

  bool optional_output(index output) const override { return output == 1; }
  // Each step of the query looks at a value that does not change.
  Alongs begin_steps(LayerState& state, const Shapes& shapes, const Alongs& inputs,
                     std::vector<CarriedState<T>*>& carried) const override {
    const bool looks = inputs.size() == kPairs && inputs[kQuery] == Along::steps &&
                       inputs[kValue] == Along::fixed && inputs[kKey] == Along::fixed;
    if (!looks || knows_places()) return Layer<T>::begin_steps(state, shapes, inputs, carried);
    return Alongs(2, Along::steps);
  }
  double flops(const Shapes& inputs) const override {
    const Shape &query = inputs[kQuery], &value = inputs[kValue];
    return 2.0 * static_cast<double>(query.sizes[0]) * static_cast<double>(value.sizes[0]) *
           static_cast<double>(query.sizes[1] + value.sizes[1]);
  }

 protected:
  bool is_random() const override { return rate_ > 0; }
  // Whether what a query sees depends on its step.
  virtual bool knows_places() const { return causal_; }

  // Plans the slots of State, for what `a` says of sizes.
  void plan_scores(State& my, base::Planner& planner, const Extent& extent,
                   ops::Attention<T> a) const {
    const index count = extent.batch * a.heads * a.queries * a.keys;
    const index kept = extent.training && rate_ > 0 ? count : 0;
    my.threads = base::team::get_num_threads();
    my.weights = planner.add<T>(count);
    my.keep = planner.add<T>(kept);
    my.dropped = planner.add<T>(kept);
    my.scratch = planner.add<T>(my.threads * ops::attention_scratch(a, extent.training));
    my.sums = planner.add<double>(extent.training ? extent.batch * a.heads * attention_sums(a) : 0);
  }

  // Sizes alone.
  ops::Attention<T> sizes(const Shapes& inputs) const {
    ops::Attention<T> a;
    a.queries = inputs[kQuery].sizes[0];
    a.keys = inputs[kValue].sizes[0];
    return a;
  }
  // What both passes need.
  ops::Attention<T> common(const Pass<T>& pass, State& my, const Ins<T>& in,
                           const Outs<T>& out) const {
    ops::Attention<T> a = sizes(my.shapes);
    base::Arena& arena = *pass.arena;
    a.batch = pass.batch;
    a.causal = causal_;
    a.value_mask = in[kValue].mask;
    a.weights = arena.at(my.weights);
    if (pass.training && !my.fixed && rate_ > 0) {
      a.keep = arena.at(my.keep);
      a.dropped = arena.at(my.dropped);
    }
    a.scratch = arena.at(my.scratch);
    a.threads = my.threads;
    a.dscores = out[1].gradient;
    return a;
  }

  void run(const Pass<T>& pass, State& my, const ops::Attention<T>& a, T* y, index y_stride,
           Out<T>& scores) const {
    const index rows = a.heads * a.queries;
    if (a.keep != nullptr) {
      const base::RandomStream stream(seed_.value_or(pass.seed), my.stream,
                                      static_cast<std::uint32_t>(RandomKind::dropout), pass.step);
      ops::fill_random_mask<T>(
          stream, ops::dropout_values<T>(rate_),
          {pass.batch, rows, a.keys, pass.arena->at(my.keep), rows * a.keys, a.keys});
    }
    ops::attend(a, y, y_stride);
    scores.mask = nullptr;
    if (scores.values == nullptr) return;
    const T* const from = a.scores_dropped && a.keep != nullptr ? a.dropped : a.weights;
    std::copy_n(from, pass.batch * rows * a.keys, scores.values);
  }

 private:
  double rate_;
  std::optional<std::uint64_t> seed_;
  bool causal_;
};

inline base::OptionTable attention_options() {
  return {{base::number("dropout", 0.0, base::from_to(0, 1)), seed_option(),
           base::flag("use_causal_mask", false)}};
}

}  // namespace lstmfast::layers
