// y = activation(x), element by element, or softmax along the last axis.
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

struct ActivationState : LayerState {
  index rows = 0, columns = 0;  // of one sample
};

template <class T>
class ActivationLayer final : public LayerWith<T, ActivationState> {
 public:
  explicit ActivationLayer(const base::Values& options)
      : activation_(activation_of(options["activation"].text())) {}

  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    return inputs;
  }
  Activation last_activation(index) const override { return activation_.kind; }
  double flops(const std::vector<Shape>& inputs) const override {
    return 10.0 * static_cast<double>(inputs[0].count());
  }

  void declare(LayerState& state, base::Planner&, const Extent& extent) const override {
    ActivationState& my = static_cast<ActivationState&>(state);
    const Shape& input = extent.inputs[0];
    my.columns = input.rank > 0 ? input.features() : 1;
    my.rows = input.rank > 0 ? input.rows() : 1;
  }

  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    const ActivationState& my = static_cast<ActivationState&>(state);
    out[0].mask = in[0].mask;
    ops::activate(used(pass), pass.batch * my.rows, my.columns, in[0].values, my.columns,
                  out[0].values, my.columns);
  }

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const ActivationState& my = static_cast<ActivationState&>(state);
    if (in[0].gradient == nullptr) return;
    const ActivationSpec activation = used(pass);
    const T* const kept = needs_input(activation) ? in[0].values : out[0].values;
    ops::activate_backward(activation, pass.batch * my.rows, my.columns, kept, my.columns,
                           out[0].gradient, my.columns, in[0].gradient, my.columns);
  }

 private:
  ActivationSpec used(const Pass<T>& pass) const {
    return pass.is_fused() ? ActivationSpec{} : activation_;
  }

  ActivationSpec activation_;
};

}  // namespace

Component activation() {
  return Family::of<ActivationLayer>({{activation_option("activation", base::kRequired, true)}});
}

}  // namespace lstmfast::layers
