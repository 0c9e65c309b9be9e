// Dropout: in training each value is 0 with probability rate, else divided by 1 - rate.
#include <cstring>

#include "base/check.h"
#include "layers/list.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::layers {

namespace {

template <class T>
struct DropoutState : LayerState {
  index steps = 0, units = 0;  // of one sample
  base::Slot<T> mask;
};

template <class T>
class Dropout : public LayerWith<T, DropoutState<T>> {
 public:
  explicit Dropout(const base::Values& options)
      : rate_(options["rate"].number()), seed_(read_seed(options)) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    DropoutState<T>& my = static_cast<DropoutState<T>&>(state);
    my.steps = extent.inputs[0].rows();
    my.units = extent.inputs[0].features();
    if (extent.training) my.mask = planner.add<T>(extent.batch * my.steps * my.units);
  }

  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    DropoutState<T>& my = static_cast<DropoutState<T>&>(state);
    out[0].mask = in[0].mask;
    const T* const x = in[0].values;
    T* const y = out[0].values;
    const index sample = my.steps * my.units, count = pass.batch * sample;
    if (!pass.training || rate_ == 0) {
      std::memcpy(y, x, static_cast<std::size_t>(count) * sizeof(T));
      return;
    }
    T* const mask = pass.arena->at(my.mask);
    const base::RandomStream stream(seed_.value_or(pass.seed), my.stream,
                                    static_cast<std::uint32_t>(RandomKind::dropout), pass.step);
    ops::fill_random_mask<T>(stream, ops::dropout_values<T>(rate_),
                             {pass.batch, my.steps, my.units, mask, sample, my.units});
    ops::multiply(count, x, mask, y);
  }

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const T* const dy = out[0].gradient;
    T* const dx = in[0].gradient;
    if (dx == nullptr) return;
    DropoutState<T>& my = static_cast<DropoutState<T>&>(state);
    const index count = pass.batch * my.steps * my.units;
    if (rate_ == 0) {
      std::memcpy(dx, dy, static_cast<std::size_t>(count) * sizeof(T));
    } else {
      ops::multiply(count, dy, pass.arena->at(my.mask), dx);
    }
  }

 private:
  void declare_parameters(const Shapes& inputs) override {
    LF_CHECK(inputs[0].rank >= 1,
             "[dropout] input of a sample has no axes; expected (..., features)");
  }
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
