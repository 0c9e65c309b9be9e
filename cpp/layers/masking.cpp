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
class Masking : public Layer<T> {
 public:
  explicit Masking(double value) : value_(static_cast<T>(value)) {}

  void declare_parameters(const Shape& input, Declaration&) override {
    LF_CHECK(input.rank >= 1, "[masking] input of a sample has no axes; expected (..., features)");
  }
  Shape output_shape(const Shape& input) const override { return input; }
  bool masks(bool) const override { return true; }
  const unsigned char* mask_out(const Pass<T>& pass, const LayerState& state) const override {
    return pass.arena->at(static_cast<const MaskingState<T>&>(state).mask);
  }
  double flops(const Shape& input) const override { return static_cast<double>(input.count()); }

  std::unique_ptr<LayerState> make_state() const override {
    return std::make_unique<MaskingState<T>>();
  }
  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    MaskingState<T>& my = static_cast<MaskingState<T>&>(state);
    my.rows = extent.input.rows();
    my.features = extent.input.features();
    my.mask = planner.add<unsigned char>(extent.batch * my.rows);
  }

  // As Keras: what came in with a mask is looked at anew. A NaN is no value to mask.
  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override {
    const MaskingState<T>& my = static_cast<MaskingState<T>&>(state);
    unsigned char* const mask = pass.arena->at(my.mask);
    for (index r = 0; r < pass.batch * my.rows; ++r) {
      const T* const from = x + r * my.features;
      T* const to = y + r * my.features;
      mask[r] = std::any_of(from, from + my.features, [&](T v) { return v != value_; }) ? 1 : 0;
      mask[r] ? std::copy_n(from, my.features, to) : std::fill_n(to, my.features, T(0));
    }
  }

  void backward(const Pass<T>& pass, LayerState& state, const T*, const T*, T* dy,
                T* dx) const override {
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
  T value_;
};

template <class T>
std::unique_ptr<Layer<T>> make(const base::Values& options) {
  return std::make_unique<Masking<T>>(options["mask_value"].number());
}

}  // namespace

Component masking() { return {{{base::number("mask_value", 0.0)}}, make<float>, make<double>}; }

}  // namespace lstmfast::layers
