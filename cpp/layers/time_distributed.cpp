// TimeDistributed: applies a layer to each step of a sequence as to a separate sample, with steps
// as rows of the batch.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
class TimeDistributed final : public LayerWith<T, TimeDistributed<T>> {
 public:
  struct State : LayerState {
    std::unique_ptr<LayerState> inner;
    Ins<T> in;
    Outs<T> out;
    index rows_in = 0, rows_out = 0;  // of one step
    base::Slot<unsigned char> mask;   // if the two differ
  };

  TimeDistributed(const base::Values& options, const Children& children)
      : layer_(child<T>(options.given(), "layer", children)) {
    LF_CHECK(layer_->least_inputs() == 1, "[time_distributed] the layer inside has "
                                              << layer_->least_inputs() << " inputs; expected 1");
  }

  Elements input_elements(index, Elements wanted) const override {
    return layer_->input_elements(0, wanted);
  }
  Elements output_elements() const override { return layer_->output_elements(); }
  index runs() const override { return layer_->runs(); }
  index id_limit(index) const override { return layer_->id_limit(0); }
  Shapes output_shapes(const Shapes& inputs) const override {
    return {Shape{inputs[0].sizes[0]} + layer_->output_shapes({step_of(inputs[0])})[0]};
  }
  std::vector<typename Layer<T>::Child> children() override { return {{"layer", layer_.get()}}; }
  Activation last_activation(index) const override { return layer_->last_activation(0); }
  double flops(const Shapes& inputs) const override {
    return static_cast<double>(inputs[0].sizes[0]) * layer_->flops({step_of(inputs[0])});
  }
  bool learns(const LayerState& state) const override {
    return layer_->learns(*static_cast<const State&>(state).inner);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape step = step_of(my.shapes[0]);
    const index steps = extent.batch * my.shapes[0].sizes[0];
    const Shapes outputs = layer_->output_shapes({step});
    my.rows_in = step.rows();
    my.rows_out = outputs[0].rows();
    my.in.resize(1);
    my.out.resize(outputs.size());
    my.mask = planner.add<unsigned char>(my.rows_in == my.rows_out ? 0 : steps * my.rows_out);
    layer_->declare(*my.inner, planner, {{step}, steps, extent.training});
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    my.in[0] = in[0];
    my.out[0] = out[0];
    layer_->forward(inner(pass, my), *my.inner, my.in, my.out);
    out[0].mask = in[0].mask;  // as in Keras, the layer's own output mask is not used
    if (in[0].mask == nullptr || my.rows_in == my.rows_out) return;
    // A step is real if any of its rows is.
    unsigned char* const mask = pass.arena->at(my.mask);
    out[0].mask = mask;
    for (index r = 0; r < inner(pass, my).batch; ++r) {
      const unsigned char* const rows = in[0].mask + r * my.rows_in;
      std::fill_n(mask + r * my.rows_out, my.rows_out, *std::max_element(rows, rows + my.rows_in));
    }
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    my.in[0].gradient = in[0].gradient;
    my.out[0].gradient = out[0].gradient;
    layer_->backward(inner(pass, my), *my.inner, my.in, my.out);
  }

 private:
  void declare_parameters(const Shapes& inputs) override {
    const Shapes outputs = layer_->connect({step_of(inputs[0])});
    for (index k = 1; k < static_cast<index>(outputs.size()); ++k) {
      LF_CHECK(layer_->optional_output(k), "[time_distributed] the layer inside has "
                                               << outputs.size() << " outputs; expected 1");
    }
    for_each_layer(*layer_, "layer", [](const std::string& path, const Layer<T>& layer) {
      LF_CHECK(layer.carried() == nullptr, "[time_distributed] "
                                               << path << " is stateful; expected"
                                               << " layers that begin each batch with zeros");
    });
  }
  std::unique_ptr<LayerState> new_state(StateBinding<T>& binding) const override {
    auto state = std::make_unique<State>();
    state->inner = layer_->make_state(binding);
    return state;
  }

  static Shape step_of(const Shape& input) {
    check_input(input.rank >= 2, "time_distributed", input, "(steps, ..., features)");
    return input.without(0);
  }
  static Pass<T> inner(Pass<T> pass, const State& my) {
    pass.batch *= my.shapes[0].sizes[0];
    return pass;
  }

  std::shared_ptr<Layer<T>> layer_;
};

}  // namespace

Component time_distributed() { return Family::of<TimeDistributed>(); }

}  // namespace lstmfast::layers
