// Max and average pooling: the greatest element or the mean of each window of one or two axes, or
// of the whole axes (global pooling), channel by channel.
#include "ops/pooling.h"

#include "layers/list.h"
#include "layers/windows.h"

namespace lstmfast::layers {
namespace {

struct PoolKind {
  int axes;
  bool maximum;
  bool global;
};

template <class T>
class Pooling : public LayerWith<T, Pooling<T>> {
 public:
  Pooling(const PoolKind& kind, const base::Values& options) : kind_(kind) {
    axes_.axes = kind.axes;
    if (kind.global) {
      keepdims_ = options["keepdims"].flag();
      return;
    }
    axes_.taps = sizes_of(options["pool_size"], kind.axes);
    axes_.strides =
        options["strides"].none() ? axes_.taps : sizes_of(options["strides"], kind.axes);
    axes_.dilation = base::Extents(axes_.taps.size(), 1);
    axes_.padding = padding_of(options["padding"]);
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    check_features(this->kind().c_str(), inputs[0], 0);
    const Shape out = axes_.output_shape(this->kind(), inputs[0], inputs[0].features());
    return {keepdims_ ? out : Shape{out.features()}};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return !heeds_mask(); }
  double flops(const Shapes& inputs) const override {
    const kernels::Pool<T> pool = pool_of(inputs[0]);
    return 2.0 * static_cast<double>(pool.y.count * pool.x.count) *
           static_cast<double>(pool.y.taps * pool.x.taps * pool.channels);
  }

  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    ops::pool(pool_of(my.shapes[0], in[0], out[0]), pass.batch);
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    ops::pool_backward<T>({pool_of(my.shapes[0], in[0], out[0]), out[0].gradient, in[0].gradient},
                          pass.batch);
  }

 private:
  // As in Keras, where other pooling drops the mask.
  bool heeds_mask() const { return kind_.global && kind_.axes == 1 && !kind_.maximum; }

  kernels::Pool<T> pool_of(const Shape& input, const In<T>& in = {}, const Out<T>& out = {}) const {
    kernels::Pool<T> pool{};
    pool.maximum = kind_.maximum;
    pool.y = axes_.windows(input, 0);
    pool.x = axes_.windows(input, 1);
    pool.channels = input.features();
    pool.in = in.values;
    pool.mask = heeds_mask() ? in.mask : nullptr;
    pool.out = out.values;
    return pool;
  }

  PoolKind kind_;
  WindowAxes axes_;
  bool keepdims_ = true;
};

template <int kAxes, bool kMaximum, bool kGlobal>
struct OfKind {
  template <class T>
  struct Of final : Pooling<T> {
    explicit Of(const base::Values& options) : Pooling<T>({kAxes, kMaximum, kGlobal}, options) {}
  };
};

template <int kAxes, bool kMaximum>
Component local() {
  const base::Fallback size = kMaximum ? base::Fallback(2) : base::Fallback(base::kRequired);
  return Family::of<OfKind<kAxes, kMaximum, false>::template Of>(
      {{sizes_option("pool_size", size, kAxes), sizes_option("strides", base::none(), kAxes),
        padding_option(kAxes, false)}});
}
template <int kAxes, bool kMaximum>
Component global() {
  return Family::of<OfKind<kAxes, kMaximum, true>::template Of>({{base::flag("keepdims", false)}});
}

}  // namespace

Component max_pooling1d() { return local<1, true>(); }
Component max_pooling2d() { return local<2, true>(); }
Component average_pooling1d() { return local<1, false>(); }
Component average_pooling2d() { return local<2, false>(); }
Component global_max_pooling1d() { return global<1, true>(); }
Component global_max_pooling2d() { return global<2, true>(); }
Component global_average_pooling1d() { return global<1, false>(); }
Component global_average_pooling2d() { return global<2, false>(); }

}  // namespace lstmfast::layers
