// Conv1D and Conv2D: y = activation(b + the window x W), for the windows of one or two axes.
#include "ops/convolution.h"

#include <algorithm>

#include "layers/linear_step.h"
#include "layers/list.h"
#include "layers/windows.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Convolution : public LayerWith<T, Convolution<T>> {
 public:
  struct State : LayerState {
    base::Slot<T> dz;  // [windows][padded filters]: gradient for b + x W
    base::Slot<T> z;   // [windows][filters]: b + x W, if backward needs it
    ops::Convolution<T> plan;
    index windows = 0;                         // of a sample
    std::unique_ptr<CarriedState<T>> stepped;  // of single steps: the inputs before the step
    base::Slot<T> taps;                        // [batch][taps][channels]: of the step's window
    bool whole = false;                        // a sample, or the taps of a step, is its one window
  };

  Convolution(int axes, const base::Values& options)
      : axes_(convolution_axes(options, axes)),
        weights_(1, options["filters"].integer()),
        activation_(activation_of(options["activation"].text())),
        use_bias_(options["use_bias"].flag()) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape out = axes_.output_shape(this->kind(), inputs[0], filters());
    check_features(this->kind().c_str(), inputs[0], this->built() ? channels_ : 0);
    static_cast<void>(kernel_shape(inputs[0].features()).count());  // throws if that is too much
    return {out};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return true; }
  bool keeps_steps(const Shapes&) const override { return axes_.taps[0] * axes_.strides[0] == 1; }
  Activation last_activation(index) const override { return activation_.kind; }
  double flops(const Shapes& inputs) const override {
    return static_cast<double>(output_shapes(inputs)[0].count()) *
           (2.0 * static_cast<double>(weights_.inputs) + 10.0);
  }

  Alongs begin_steps(LayerState& state, const Shapes& shapes, const Alongs& inputs,
                     std::vector<CarriedState<T>*>& carried) const override {
    State& my = this->own(state);
    my.stepped.reset();
    if (inputs[0] != Along::steps || keeps_steps(shapes)) {
      return Layer<T>::begin_steps(state, shapes, inputs, carried);
    }
    this->check_steps(axes_.padding == ops::Padding::causal && axes_.strides[0] == 1,
                      "needs all steps at once", "padding=\"causal\" and strides=1");
    my.stepped = std::make_unique<CarriedState<T>>(std::vector<index>{past()});
    carried.push_back(my.stepped.get());
    return inputs;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    kernels::Windows y = axes_.windows(my.shapes[0], 0);
    const kernels::Windows x = axes_.windows(my.shapes[0], 1);
    if (my.stepped != nullptr) {
      my.taps = planner.add<T>(extent.batch * weights_.inputs);
      y = ops::make_windows(y.taps, y.taps, 1, 1, ops::Padding::valid);
    }
    my.windows = y.count * x.count;
    my.whole = my.windows == 1 && ops::inside(y, 0, 1) && ops::inside(x, 0, 1) &&
               weights_.inputs == y.size * x.size * channels_;
    my.plan.arrange(weights_, y, x, channels_, extent.training);
    if (!extent.training) return;
    const index rows = extent.batch * my.windows;
    my.dz = planner.add<T>(rows * weights_.padded_outputs());
    if (needs_input(activation_)) my.z = planner.add<T>(rows * filters());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    T* const y = out[0].values;
    T* const z = pass.training && needs_input(activation_) ? pass.arena->at(my.z) : y;
    const T* const x = my.stepped != nullptr ? next_taps(pass, my, in[0].values) : in[0].values;
    my.plan.forward(this->values(), pass.batch, x, z, pass.unless_fused(activation_), y);
  }

  void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                    StepCalls& calls) const override {
    State& my = this->own(state);
    const T* x = in[0].values;
    StepCalls own;
    if (my.stepped != nullptr) {
      own.add([this, &pass, &my, x] { next_taps(pass, my, x); });
      x = pass.arena->at(my.taps);
    }
    const ops::LinearShape<T>& w = weights_;
    const bool good =
        my.whole &&
        prepare_linear(own,
                       w.product_alone(this->values(), pass.batch, {x, nullptr, w.inputs},
                                       {out[0].values, nullptr, w.outputs}, {}),
                       activation_);
    if (!good) return Layer<T>::prepare_step(pass, state, in, out, calls);
    calls.append(own);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    T* const dy = out[0].gradient;
    const index rows = pass.batch * my.windows;
    const index padded = weights_.padded_outputs();
    const ActivationSpec activation = pass.unless_fused(activation_);
    T* const dz = padded == filters() ? dy : pass.arena->at(my.dz);
    const T* const kept = needs_input(activation) ? pass.arena->at(my.z) : out[0].values;
    ops::activate_backward(activation, rows, filters(), kept, filters(), dy, filters(), dz, padded);
    for (index r = 0; padded != filters() && r < rows; ++r) {
      std::fill(dz + r * padded + filters(), dz + (r + 1) * padded, T(0));
    }
    if (in[0].gradient != nullptr) my.plan.transpose(this->values());
    my.plan.backward(pass.batch, in[0].values, dz, in[0].gradient, this->gradients(pass, my),
                     use_bias_);
  }

 private:
  index filters() const { return weights_.outputs; }
  // Elements of a causal window before its last step.
  index past() const { return (axes_.taps[0] - 1) * axes_.dilation[0] * channels_; }
  // The taps of the window that ends with each row's step x [batch][channels], which is carried.
  const T* next_taps(const Pass<T>& pass, State& my, const T* x) const {
    T *const taps = pass.arena->at(my.taps), *to = taps;
    T* carried = my.stepped->part(0);
    const index step = axes_.dilation[0] * channels_;
    for (index b = 0; b < pass.batch; ++b, carried += past(), x += channels_) {
      if (pass.begins != nullptr && pass.begins[b] != 0) std::fill_n(carried, past(), T(0));
      for (index at = 0; at < past(); at += step) to = std::copy_n(carried + at, channels_, to);
      to = std::copy_n(x, channels_, to);
      std::copy_n(x, channels_, std::copy(carried + channels_, carried + past(), carried));
    }
    return taps;
  }
  Shape kernel_shape(index channels) const {
    Shape out;
    for (const index size : axes_.taps) out.append(size);
    out.append(channels);
    out.append(filters());
    return out;
  }

  void declare_parameters(const Shapes& inputs) override {
    channels_ = inputs[0].features();
    const Shape kernel = kernel_shape(channels_);
    weights_ = ops::LinearShape<T>(kernel.rows(), filters());
    Parameters<T>& parameters = this->parameters_;
    const index block = parameters.add_block(weights_.size());
    parameters.add("kernel", {kernel.begin(), kernel.end()}, weights_.kernel(), block);
    if (use_bias_) parameters.add("bias", {filters()}, weights_.bias(), block);
  }

  WindowAxes axes_;
  index channels_ = 1;
  ops::LinearShape<T> weights_;  // has one input until the parameters are declared
  ActivationSpec activation_;
  bool use_bias_;
};

template <int kAxes>
struct OfAxes {
  template <class T>
  struct Of final : Convolution<T> {
    explicit Of(const base::Values& options) : Convolution<T>(kAxes, options) {}
  };
};

template <int kAxes>
Component convolution() {
  return Family::of<OfAxes<kAxes>::template Of>(
      convolution_options(kAxes, true) +
      base::OptionTable{
          {activation_option("activation", "linear", true), base::flag("use_bias", true)}});
}

}  // namespace

Component conv1d() { return convolution<1>(); }
Component conv2d() { return convolution<2>(); }

}  // namespace lstmfast::layers
