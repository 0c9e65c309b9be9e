// y = activation(b + x W) on the last axis.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"
#include "layers/options.h"
#include "ops/linear.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct DenseState : LayerState {
  index rows = 0;    // of one sample
  base::Slot<T> dz;  // [rows][padded outputs]: gradient for b + x W
  base::Slot<T> z;   // [rows][outputs]: b + x W, where backward needs it
  ops::LinearScratch<T> scratch;
};

template <class T>
class Dense : public Layer<T> {
 public:
  Dense(index units, const ActivationSpec& activation, bool use_bias)
      : shape_(1, units), activation_(activation), use_bias_(use_bias) {}

  void declare_parameters(const Shape& input, Declaration& declaration) override {
    LF_CHECK(input.rank >= 1 && input.features() > 0 && input.features() <= kMaxUnits,
             "[dense] input of a sample has shape "
                 << input.text() << "; expected (..., features) with features from 1 to "
                 << kMaxUnits);
    shape_ = ops::LinearShape<T>(input.features(), shape_.outputs);
    block_ = declaration.add_block(shape_.size());
    declaration.add("kernel", {shape_.inputs, shape_.outputs}, shape_.kernel(), block_);
    if (use_bias_) declaration.add("bias", {shape_.outputs}, shape_.bias(), block_);
  }

  Shape output_shape(const Shape& input) const override {
    return input.with_features(shape_.outputs);
  }
  bool has_parameters() const override { return true; }
  Activation last_activation() const override { return activation_.kind; }
  double flops(const Shape& input) const override {
    return static_cast<double>(input.rows()) * static_cast<double>(shape_.outputs) *
           (2.0 * static_cast<double>(shape_.inputs) + 10.0);
  }

  std::unique_ptr<LayerState> make_state() const override {
    return std::make_unique<DenseState<T>>();
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    DenseState<T>& my = static_cast<DenseState<T>&>(state);
    my.rows = extent.input.rows();
    if (extent.training) {
      my.dz = planner.add<T>(extent.batch * my.rows * ops::padded_outputs(shape_));
      if (needs_input(activation_)) my.z = planner.add<T>(extent.batch * my.rows * shape_.outputs);
    }
  }

  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override {
    const DenseState<T>& my = static_cast<DenseState<T>&>(state);
    const index rows = pass.batch * my.rows;
    const index outputs = shape_.outputs;
    T* z = pass.training && needs_input(activation_) ? pass.arena->at(my.z) : y;
    ops::linear_forward<T>(shape_, pass.values + block_, rows, {x, nullptr, shape_.inputs},
                           {z, nullptr, outputs});
    if (activation_.kind != Activation::linear && !pass.pre_activation) {
      ops::activate(activation_, rows, outputs, z, outputs, y, outputs);
    }
  }

  void backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                T* dx) const override {
    DenseState<T>& my = static_cast<DenseState<T>&>(state);
    const index rows = pass.batch * my.rows;
    const index outputs = shape_.outputs;
    const index padded = ops::padded_outputs(shape_);
    const ActivationSpec activation = pass.pre_activation ? ActivationSpec{} : activation_;
    T* dz = dy;
    if (padded != outputs || activation.kind != Activation::linear) {
      dz = padded == outputs ? dy : pass.arena->at(my.dz);
      const T* kept = needs_input(activation) ? pass.arena->at(my.z) : y;
      ops::activate_backward(activation, rows, outputs, kept, outputs, dy, outputs, dz, padded);
      for (index r = 0; padded != outputs && r < rows; ++r) {
        std::fill(dz + r * padded + outputs, dz + (r + 1) * padded, T(0));
      }
    }
    ops::linear_backward<T>(shape_, pass.values + block_, rows, {x, nullptr, shape_.inputs},
                            {dz, nullptr, padded}, {dx, nullptr, shape_.inputs},
                            pass.gradients + block_, use_bias_, my.scratch);
  }

 private:
  ops::LinearShape<T> shape_;  // of one input until the input is declared
  ActivationSpec activation_;
  bool use_bias_;
  index block_ = 0;
};

template <class T>
std::unique_ptr<Layer<T>> make(const base::Values& options) {
  return std::make_unique<Dense<T>>(options["units"].integer(),
                                    activation_of(options["activation"].text()),
                                    options["use_bias"].flag());
}

}  // namespace

Component dense() {
  return {{{base::integer("units", base::kRequired, 1, kMaxUnits),
            activation_option("activation", "linear", true), base::flag("use_bias", true)}},
          make<float>,
          make<double>};
}

}  // namespace lstmfast::layers
