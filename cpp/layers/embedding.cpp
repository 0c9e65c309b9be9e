// Embedding: each id becomes its row of a table of weights.
#include <algorithm>
#include <memory>
#include <vector>

#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// A row that lies anywhere in a table takes as long as so many neighbouring ones.
constexpr index kFar = 4;

template <class T>
class Embedding final : public LayerWith<T, Embedding<T>> {
 public:
  struct State : LayerState {
    base::Slot<unsigned char> mask;
  };

  explicit Embedding(const base::Values& options)
      : rows_(options["input_dim"].integer()),
        columns_(options["output_dim"].integer()),
        mask_zero_(options["mask_zero"].flag()) {}

  Elements input_elements(index, Elements) const override { return {false, rows_}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    Shape out = inputs[0];
    out.append(columns_);
    return {out};
  }
  bool keeps_steps(const Shapes&) const override { return true; }
  bool masks(index, const std::vector<bool>& masked) const override {
    return mask_zero_ || masked[0];
  }
  bool takes_masked_ids() const override { return true; }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    if (mask_zero_) my.mask = planner.add<unsigned char>(extent.batch * my.shapes[0].count());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    const index count = pass.batch * my.shapes[0].count();
    const std::int32_t* const ids = in[0].ids;
    ops::for_items(count, kFar * columns_, [&](index begin, index end) {
      for (index r = begin; r < end; ++r) {
        std::copy_n(this->values() + ids[r] * columns_, columns_, out[0].values + r * columns_);
      }
    });
    unsigned char* const mask = pass.arena->at(my.mask);  // null without mask_zero
    if (mask == nullptr) return;
    out[0].mask = mask;
    for (index r = 0; r < count; ++r) {
      mask[r] = ids[r] != 0 && (in[0].mask == nullptr || in[0].mask[r] != 0);
    }
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const index count = pass.batch * my.shapes[0].count();
    const std::int32_t* const ids = in[0].ids;
    // An input that also carries values gets gradient 0 from here.
    if (in[0].gradient != nullptr) std::fill_n(in[0].gradient, count, T(0));
    T* const gradients = this->gradients(pass, my);
    if (gradients == nullptr) return;
    for (index r = 0; r < count; ++r) my.gradients->touched->add(ids[r]);
    // Each element adds its rows in order, so threads share the columns.
    ops::for_items(columns_, kFar * count, [&](index begin, index end) {
      for (index r = 0; r < count; ++r) {
        T* const to = gradients + ids[r] * columns_;
        const T* const dy = out[0].gradient + r * columns_;
        for (index c = begin; c < end; ++c) to[c] += dy[c];
      }
    });
  }

 private:
  void declare_parameters(const Shapes&) override {
    const index block = this->parameters_.add_block(rows_ * columns_);
    this->parameters_.add("embeddings", {rows_, columns_}, ops::plain_rows(rows_, columns_), block);
    this->parameters_.set_sparse();
  }

  index rows_, columns_;
  bool mask_zero_;
};

}  // namespace

Component embedding() {
  return Family::of<Embedding>({{base::integer("input_dim", base::kRequired, 1),
                                 base::integer("output_dim", base::kRequired, 1, kMaxUnits),
                                 base::flag("mask_zero", false)}});
}

}  // namespace lstmfast::layers
