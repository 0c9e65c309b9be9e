// Masking: steps whose features all have one value are masked, and their features become 0.
#include <algorithm>

#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Masking final : public LayerWith<T, Masking<T>> {
 public:
  struct State : LayerState {
    base::Slot<unsigned char> mask;
  };

  explicit Masking(const base::Values& options)
      : value_(static_cast<T>(options["mask_value"].number())) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank >= 1, "masking", inputs[0], "(..., features)");
    return inputs;
  }
  bool keeps_steps(const Shapes&) const override { return true; }
  bool masks(index, const std::vector<bool>&) const override { return true; }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    my.mask = planner.add<unsigned char>(extent.batch * my.shapes[0].rows());
  }

  // As in Keras, the input's own mask is not used. Steps with a NaN are not masked.
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    unsigned char* const mask = pass.arena->at(my.mask);
    out[0].mask = mask;
    const index features = my.shapes[0].features();
    for (index r = 0; r < pass.batch * my.shapes[0].rows(); ++r) {
      const T* const from = in[0].values + r * features;
      T* const to = out[0].values + r * features;
      mask[r] = std::any_of(from, from + features, [&](T v) { return v != value_; }) ? 1 : 0;
      mask[r] ? std::copy_n(from, features, to) : std::fill_n(to, features, T(0));
    }
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const dy = out[0].gradient;
    T* const dx = in[0].gradient;
    if (dx == nullptr) return;
    const unsigned char* const mask = pass.arena->at(my.mask);
    const index features = my.shapes[0].features();
    for (index r = 0; r < pass.batch * my.shapes[0].rows(); ++r) {
      T* const to = dx + r * features;
      mask[r] ? std::copy_n(dy + r * features, features, to) : std::fill_n(to, features, T(0));
    }
  }

 private:
  T value_;
};

}  // namespace

Component masking() { return Family::of<Masking>({{base::number("mask_value", 0.0)}}); }

}  // namespace lstmfast::layers
