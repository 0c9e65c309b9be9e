// y = activation(x), element by element, or softmax along the last axis.
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class ActivationLayer final : public LayerWith<T, ActivationLayer<T>> {
 public:
  explicit ActivationLayer(const base::Values& options)
      : activation_(activation_of(options["activation"].text())) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }
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

}  // namespace

Component activation() {
  return Family::of<ActivationLayer>({{activation_option("activation", base::kRequired, true)}});
}

}  // namespace lstmfast::layers
