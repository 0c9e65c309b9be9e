// y = activation(b + x W) on the last axis, and MixtureDensity, where it acts on some columns
// alone.
#include <algorithm>

#include "layers/linear_step.h"
#include "layers/list.h"
#include "ops/linear.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Dense : public LayerWith<T, Dense<T>> {
 public:
  struct State : LayerState {
    base::Slot<T> dz;                   // [rows][padded outputs]: gradient for b + x W
    base::Slot<T> z;                    // [rows][outputs]: b + x W, if backward needs it
    base::Slot<unsigned char> reduced;  // scratch of products in reduced precision
    base::Slot<T> columns;              // of W, where there are few units
    ops::LinearScratch<T> scratch;
  };

  explicit Dense(const base::Values& options)
      : Dense(options["units"].integer(), activation_of(options["activation"].text()),
              options["use_bias"].flag()) {}
  // The activation acts on the columns from `activated` on; unless that is 0, not softmax, and one
  // whose slope follows from y.
  Dense(index units, const ActivationSpec& activation, bool use_bias, index activated = 0)
      : shape_(1, units), activation_(activation), use_bias_(use_bias), activated_(activated) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    check_features("dense", inputs[0], this->built() ? shape_.inputs : 0);
    return {inputs[0].with_features(shape_.outputs)};
  }
  bool keeps_steps(const Shapes&) const override { return true; }
  bool reduces() const override { return true; }
  Activation last_activation(index) const override {
    return activated_ == 0 ? activation_.kind : Activation::linear;
  }
  double flops(const Shapes& inputs) const override {
    return static_cast<double>(inputs[0].rows()) * static_cast<double>(shape_.outputs) *
           (2.0 * static_cast<double>(shape_.inputs) + 10.0);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const index rows = extent.batch * my.shapes[0].rows();
    my.reduced = planner.add<unsigned char>(shape_.reduced().room(rows));
    my.columns = planner.add<T>(shape_.columns_size());
    if (!extent.training) return;
    my.dz = planner.add<T>(rows * shape_.padded_outputs());
    if (needs_input(activation_)) my.z = planner.add<T>(rows * shape_.outputs);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    T* const y = out[0].values;
    const index rows = pass.batch * my.shapes[0].rows();
    const index outputs = shape_.outputs;
    T* z = pass.training && needs_input(activation_) ? pass.arena->at(my.z) : y;
    shape_.forward(this->values(), rows, {in[0].values, nullptr, shape_.inputs},
                   {z, nullptr, outputs}, false, reduced(pass, my, rows),
                   pass.arena->at(my.columns));
    ops::activate(pass.unless_fused(activation_), rows, outputs - activated_, z + activated_,
                  outputs, y + activated_, outputs);
  }

  void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                    StepCalls& calls) const override {
    const index rows = pass.batch * state.shapes[0].rows();
    State& my = this->own(state);
    const auto product =
        shape_.product_alone(this->values(), rows, {in[0].values, nullptr, shape_.inputs},
                             {out[0].values, nullptr, shape_.outputs}, reduced(pass, my, rows),
                             pass.arena->at(my.columns));
    const bool good = prepare_linear(calls, product, activation_, activated_);
    if (!good) Layer<T>::prepare_step(pass, state, in, out, calls);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    T* const dy = out[0].gradient;
    const index rows = pass.batch * my.shapes[0].rows();
    const index outputs = shape_.outputs;
    const index padded = shape_.padded_outputs();
    const ActivationSpec activation = pass.unless_fused(activation_);
    T* const dz = padded == outputs ? dy : pass.arena->at(my.dz);
    const T* const kept = needs_input(activation) ? pass.arena->at(my.z) : out[0].values;
    if (activated_ > 0 && dz != dy)
      ops::gather_rows<T>(rows, activated_, nullptr, dy, outputs, dz, padded);
    ops::activate_backward(activation, rows, outputs - activated_, kept + activated_, outputs,
                           dy + activated_, outputs, dz + activated_, padded);
    for (index r = 0; padded != outputs && r < rows; ++r) {
      std::fill(dz + r * padded + outputs, dz + (r + 1) * padded, T(0));
    }
    shape_.backward(this->values(), rows, {in[0].values, nullptr, shape_.inputs},
                    {dz, nullptr, padded}, {in[0].gradient, nullptr, shape_.inputs},
                    this->gradients(pass, my), use_bias_, my.scratch);
  }

 private:
  kernels::Reduced reduced(const Pass<T>& pass, const State& my, index rows) const {
    return shape_.reduced().operand(this->parameters_.reduced(), pass.arena->at(my.reduced), rows);
  }
  void declare_parameters(const Shapes& inputs) override {
    shape_ = ops::LinearShape<T>(inputs[0].features(), shape_.outputs, this->precision());
    ops::check_reduced(shape_.reduced());
    Parameters<T>& parameters = this->parameters_;
    const index block = parameters.add_block(shape_.size());
    parameters.add_kernel("kernel", {shape_.inputs, shape_.outputs}, shape_.kernel(), block,
                          shape_.reduced());
    if (use_bias_) parameters.add("bias", {shape_.outputs}, shape_.bias(), block);
  }

  ops::LinearShape<T> shape_;  // has one input feature until the parameters are declared
  ActivationSpec activation_;
  bool use_bias_;
  index activated_;
};

// K logits, K x D means and K x D deviations, which are softplus of what Dense computes.
template <class T>
struct MixtureDensity final : Dense<T> {
  explicit MixtureDensity(const base::Values& options)
      : Dense<T>(units(options), {Activation::softplus}, options["use_bias"].flag(),
                 units(options) - of_each(options)) {}

  static index of_each(const base::Values& options) {
    return options["components"].integer() * options["dimensions"].integer();
  }
  static index units(const base::Values& options) {
    return options["components"].integer() + 2 * of_each(options);
  }
};

}  // namespace

Component dense() {
  return Family::of<Dense>(
      {{base::integer("units", base::kRequired, 1, kMaxUnits),
        activation_option("activation", "linear", true), base::flag("use_bias", true)}});
}

Component mixture_density() {
  base::OptionTable options = {{base::integer("components", base::kRequired, 1, kMaxUnits / 3),
                                base::integer("dimensions", 1, 1, (kMaxUnits - 1) / 2),
                                base::flag("use_bias", true)}};
  options.together = [](const base::Values& values) {
    if (MixtureDensity<float>::units(values) <= kMaxUnits) return;
    values.fail("dimensions", "at most " + std::to_string(kMaxUnits) +
                                  " outputs, components * (1 + 2 * dimensions)");
  };
  return Family::of<MixtureDensity>(options);
}

}  // namespace lstmfast::layers
