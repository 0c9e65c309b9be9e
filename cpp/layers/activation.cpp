// y = activation(x), element by element, or softmax along axes.
#include "layers/last_axes.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class ActivationLayer final : public LayerWith<T, ActivationLayer<T>> {
 public:
  explicit ActivationLayer(const ActivationSpec& activation) : activation_(activation) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }
  bool keeps_steps(const Shapes&) const override { return true; }
  Activation last_activation(index) const override { return activation_.kind; }
  double flops(const Shapes& inputs) const override {
    return 10.0 * static_cast<double>(inputs[0].count());
  }

  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    const index columns = my.shapes[0].features(), rows = pass.batch * my.shapes[0].rows();
    ops::activate(pass.unless_fused(activation_), rows, columns, in[0].values, columns,
                  out[0].values, columns);
  }

  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    const ActivationSpec activation = pass.unless_fused(activation_);
    const index columns = my.shapes[0].features(), rows = pass.batch * my.shapes[0].rows();
    const T* const kept = needs_input(activation) ? in[0].values : out[0].values;
    ops::activate_backward(activation, rows, columns, kept, columns, out[0].gradient, columns,
                           in[0].gradient, columns);
  }

 private:
  ActivationSpec activation_;
};

template <class T, ActivationSpec (*spec)(const base::Values&)>
std::unique_ptr<Layer<T>> make(const base::Values& options, const Children&) {
  return std::make_unique<ActivationLayer<T>>(spec(options));
}
template <ActivationSpec (*spec)(const base::Values&)>
Component component(base::Option option) {
  return {{{std::move(option)}}, make<float, spec>, make<double, spec>};
}

ActivationSpec named(const base::Values& options) {
  return activation_of(options["activation"].text());
}
ActivationSpec leaky(const base::Values& options) {
  return {Activation::leaky_relu, options["negative_slope"].number()};
}
ActivationSpec exponential(const base::Values& options) {
  return {Activation::elu, options["alpha"].number()};
}

template <class T>
class Softmax final : public AlongAxes<T, Softmax<T>> {
 public:
  struct State : LayerState {
    LastAxes<T> axes;
  };

  explicit Softmax(const base::Values& options)
      : AlongAxes<T, Softmax<T>>("softmax", options["axis"]) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    this->axes_of(inputs[0]);  // throws where it lacks them
    return inputs;
  }
  Activation last_activation(index) const override {
    return is_last() ? Activation::softmax : Activation::linear;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    my.axes = this->last_axes(my.shapes[0], planner, extent);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    base::Arena& arena = *pass.arena;
    const index columns = my.axes.columns();
    ops::activate(activation(pass), pass.batch * my.axes.rows(), columns,
                  my.axes.moved(0, arena, pass.batch, in[0].values), columns,
                  my.axes.place(1, arena, out[0].values), columns);
    my.axes.finish(1, arena, pass.batch, out[0].values);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    base::Arena& arena = *pass.arena;
    const index columns = my.axes.columns();
    ops::activate_backward(activation(pass), pass.batch * my.axes.rows(), columns,
                           static_cast<const T*>(my.axes.place(1, arena, out[0].values)), columns,
                           my.axes.moved(0, arena, pass.batch, out[0].gradient), columns,
                           my.axes.place(2, arena, in[0].gradient), columns);
    my.axes.finish(2, arena, pass.batch, in[0].gradient);
  }

 private:
  bool is_last() const { return this->axes() == base::Value(-1); }
  ActivationSpec activation(const Pass<T>& pass) const {
    const ActivationSpec softmax{Activation::softmax};
    return is_last() ? pass.unless_fused(softmax) : softmax;
  }
};

}  // namespace

Component activation() {
  return component<named>(activation_option("activation", base::kRequired, true));
}
Component leaky_re_lu() {
  return component<leaky>(base::number("negative_slope", 0.3, base::at_least(0)));
}
Component elu() { return component<exponential>(base::number("alpha", 1.0, base::at_least(0))); }
Component softmax() { return Family::of<Softmax>({{axes_option("axis", -1)}}); }

}  // namespace lstmfast::layers
