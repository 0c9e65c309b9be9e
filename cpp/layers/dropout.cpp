// Dropout: in training each value is 0 with probability rate, else divided by 1 - rate.
#include <cstring>

#include "layers/list.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::layers {

namespace {

template <class T>
class Dropout final : public LayerWith<T, Dropout<T>> {
 public:
  struct State : LayerState {
    base::Slot<T> mask;
  };

  explicit Dropout(const base::Values& options)
      : rate_(options["rate"].number()), seed_(read_seed(options)) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank >= 1, "dropout", inputs[0], "(..., features)");
    return inputs;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    if (extent.training) my.mask = planner.add<T>(extent.batch * my.shapes[0].count());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    const T* const x = in[0].values;
    T* const y = out[0].values;
    const Shape& shape = my.shapes[0];
    const index count = pass.batch * shape.count(), units = shape.features();
    if (!pass.training || rate_ == 0) {
      std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
    T* const mask = pass.arena->at(my.mask);
    const base::RandomStream stream(seed_.value_or(pass.seed), my.stream,
                                    static_cast<std::uint32_t>(RandomKind::dropout), pass.step);
    ops::fill_random_mask<T>(stream, ops::dropout_values<T>(rate_),
                             {pass.batch, shape.rows(), units, mask, shape.count(), units});
    ops::multiply(count, x, mask, y);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const dy = out[0].gradient;
    T* const dx = in[0].gradient;
    if (dx == nullptr) return;
    const index count = pass.batch * my.shapes[0].count();
    if (rate_ == 0) {
      std::memcpy(dx, dy, static_cast<std::size_t>(count) * sizeof(T));
    } else {
      ops::multiply(count, dy, pass.arena->at(my.mask), dx);
    }
  }

 private:
  bool is_random() const override { return true; }

  double rate_;
  std::optional<std::uint64_t> seed_;  // replaces the pass's seed
};

}  // namespace

Component dropout() {
  return Family::of<Dropout>(
      {{base::number("rate", base::kRequired, base::from_to(0, 1)), seed_option()}});
}

}  // namespace lstmfast::layers
