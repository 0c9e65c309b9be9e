// Masking: steps whose features all have one value are masked, and their features become 0.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct MaskingState : LayerState {
  index rows = 0, features = 0;  // of one sample
  base::Slot<unsigned char> mask;
};

template <class T>
class Masking : public LayerWith<T, MaskingState<T>> {
 public:
  explicit Masking(const base::Values& options)
      : value_(static_cast<T>(options["mask_value"].number())) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }
  bool masks(const std::vector<bool>&) const override { return true; }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    MaskingState<T>& my = static_cast<MaskingState<T>&>(state);
    my.rows = extent.inputs[0].rows();
    my.features = extent.inputs[0].features();
    my.mask = planner.add<unsigned char>(extent.batch * my.rows);
  }

  // As in Keras, the input's own mask is not used. Steps with a NaN are not masked.
  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    const MaskingState<T>& my = static_cast<MaskingState<T>&>(state);
    unsigned char* const mask = pass.arena->at(my.mask);
    out[0].mask = mask;
    for (index r = 0; r < pass.batch * my.rows; ++r) {
      const T* const from = in[0].values + r * my.features;
      T* const to = out[0].values + r * my.features;
      mask[r] = std::any_of(from, from + my.features, [&](T v) { return v != value_; }) ? 1 : 0;
      mask[r] ? std::copy_n(from, my.features, to) : std::fill_n(to, my.features, T(0));
    }
  }

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const T* const dy = out[0].gradient;
    T* const dx = in[0].gradient;
    if (dx == nullptr) return;
    const MaskingState<T>& my = static_cast<MaskingState<T>&>(state);
    const unsigned char* const mask = pass.arena->at(my.mask);
    for (index r = 0; r < pass.batch * my.rows; ++r) {
      T* const to = dx + r * my.features;
      mask[r] ? std::copy_n(dy + r * my.features, my.features, to)
              : std::fill_n(to, my.features, T(0));
    }
  }

 private:
  void declare_parameters(const Shapes& inputs) override {
    LF_CHECK(inputs[0].rank >= 1,
             "[masking] input of a sample has no axes; expected (..., features)");
  }

  T value_;
};

}  // namespace

Component masking() { return Family::of<Masking>({{base::number("mask_value", 0.0)}}); }

}  // namespace lstmfast::layers
