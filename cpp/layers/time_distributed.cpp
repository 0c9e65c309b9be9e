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
    Ins<T> in;
    Outs<T> out;
    index rows_in = 0, rows_out = 0;  // of one step
    base::Slot<unsigned char> mask;   // if the two differ
    Pass<T> pass;                     // of prepared steps
  };

  TimeDistributed(const base::Values& options, const Children& children)
      : layer_(this->make_child(options.given(), "layer", children)) {
    const index inputs = layer_->input_count().least;
    LF_CHECK(inputs == 1,
             "[time_distributed] the layer inside has " << inputs << " inputs; expected 1");
    this->children_ = {{"layer", layer_}};
  }

  Elements input_elements(index, Elements wanted) const override {
    return layer_->input_elements(0, wanted);
  }
  bool moves_ids() const override { return layer_->moves_ids(); }
  index runs() const override { return layer_->runs(); }
  Shapes output_shapes(const Shapes& inputs) const override {
    const Shapes outputs = layer_->output_shapes({step_of(inputs[0])});
    for (index k = 1; k < static_cast<index>(outputs.size()); ++k) {
      LF_CHECK(layer_->optional_output(k), "[time_distributed] the layer inside has "
                                               << outputs.size() << " outputs; expected 1");
    }
    for_each_layer(*layer_, "layer", [](const std::string& path, const Layer<T>& layer) {
      LF_CHECK(layer.carried() == nullptr, "[time_distributed] "
                                               << path << " is stateful; expected"
                                               << " layers that begin each batch with zeros");
    });
    return {Shape{inputs[0].sizes[0]} + outputs[0]};
  }
  bool keeps_steps(const Shapes&) const override { return true; }
  Activation last_activation(index) const override { return layer_->last_activation(0); }
  double flops(const Shapes& inputs) const override {
    return static_cast<double>(inputs[0].sizes[0]) * layer_->flops({step_of(inputs[0])});
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
    layer_->declare(*my.inner[0], planner,
                    {{step}, steps, extent.training, extent.steps * my.shapes[0].sizes[0]});
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    my.in[0] = in[0];
    my.out[0] = out[0];
    layer_->forward(inner(pass, my), *my.inner[0], my.in, my.out);
    // As in Keras, the mask is the input's and not that of the layer inside.
    if (in[0].mask == nullptr || my.rows_in == my.rows_out) return;
    // A step is real if any of its rows is.
    unsigned char* const mask = pass.arena->at(my.mask);
    out[0].mask = mask;
    for (index r = 0; r < inner(pass, my).batch; ++r) {
      const unsigned char* const rows = in[0].mask + r * my.rows_in;
      std::fill_n(mask + r * my.rows_out, my.rows_out, *std::max_element(rows, rows + my.rows_in));
    }
  }

  // The ports are as the last pass left them.
  void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>&, Outs<T>&,
                    StepCalls& calls) const override {
    State& my = this->own(state);
    my.pass = inner(pass, my);
    layer_->prepare_step(my.pass, *my.inner[0], my.in, my.out, calls);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    my.in[0].gradient = in[0].gradient;
    my.out[0].gradient = out[0].gradient;
    layer_->backward(inner(pass, my), *my.inner[0], my.in, my.out);
  }

 private:
  void declare_parameters(const Shapes& inputs) override { layer_->connect({step_of(inputs[0])}); }

  static Shape step_of(const Shape& input) {
    check_input(input.rank >= 2, "time_distributed", input, "(steps, ..., features)");
    return input.without(0);
  }
  static Pass<T> inner(Pass<T> pass, const State& my) {
    pass.batch *= my.shapes[0].sizes[0];
    pass.steps *= my.shapes[0].sizes[0];
    return pass;
  }

  std::shared_ptr<Layer<T>> layer_;
};

}  // namespace

Component time_distributed() { return Family::of<TimeDistributed>(); }

}  // namespace lstmfast::layers
