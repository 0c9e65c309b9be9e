// An LSTM layer in one direction: the whole sequence of h, or its last.
#include "base/check.h"
#include "layers/layer.h"
#include "layers/options.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct LstmState : LayerState {
  index steps = 0;
  base::Slot<T> sequence;  // [batch][steps][O]: h of all steps, where only the last is the output
  ops::LstmCall<T> call{};
  ops::LstmWorkspace<T> workspace;
};

template <class T>
class Lstm : public Layer<T> {
 public:
  Lstm(index units, const LstmOptions& options, bool return_sequences)
      : shape_(1, units, options.cell), options_(options), return_sequences_(return_sequences) {}

  void declare_parameters(const Shape& input, Declaration& declaration) override {
    LF_CHECK(input.rank == 2, "[lstm] input of a sample has shape "
                                  << input.text() << "; expected (steps, features)");
    LF_CHECK(input.features() > 0 && input.features() <= kMaxUnits,
             "[lstm] input of a sample has shape "
                 << input.text() << "; expected features from 1 to " << kMaxUnits);
    shape_ = ops::LstmShape<T>(input.features(), shape_.hidden, shape_.options);
    block_ = declaration.add_block(shape_.size());
    options_.noise.stream = declaration.add_stream();
    for (const ops::LstmPart& part : shape_.parts()) {
      if (part.name == "bias" && !options_.use_bias) continue;
      declaration.add(part.name, part.shape, part.layout, block_);
    }
  }

  Shape output_shape(const Shape& input) const override {
    return return_sequences_ ? input.with_features(shape_.outputs()) : Shape{shape_.outputs()};
  }
  bool has_parameters() const override { return true; }
  double flops(const Shape& input) const override {
    // The cell's functions at about 20 a gate.
    const double cell = 20.0 * static_cast<double>(shape_.gates * shape_.hidden);
    return static_cast<double>(input.rows()) * (shape_.flops() + cell);
  }

  std::unique_ptr<LayerState> make_state() const override {
    return std::make_unique<LstmState<T>>();
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    LstmState<T>& my = static_cast<LstmState<T>&>(state);
    my.steps = extent.input.rows();
    my.sequence = {};
    if (extent.training && !return_sequences_) {
      my.sequence = planner.add<T>(extent.batch * my.steps * shape_.outputs());
    }
  }

  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override {
    LstmState<T>& my = static_cast<LstmState<T>&>(state);
    ops::LstmCall<T>& call = my.call;
    call = {};
    call.steps = my.steps;
    call.batch = pass.batch;
    call.x = x;
    call.x_row = my.steps * shape_.input;
    call.x_step = shape_.input;
    call.y = return_sequences_ ? y : pass.arena->at(my.sequence);
    call.y_row = my.steps * shape_.outputs();
    call.y_step = shape_.outputs();
    call.h_n = return_sequences_ ? nullptr : y;
    call.noise = options_.noise;
    call.noise.seed = pass.seed;
    call.noise.step = pass.step;
    call.bptt_steps = options_.bptt_steps;
    call.recompute_every = options_.recompute_every;
    ops::lstm_forward(shape_, pass.values + block_, call, pass.training, my.workspace);
  }

  void backward(const Pass<T>& pass, LayerState& state, const T*, const T*, T* dy,
                T* dx) const override {
    LstmState<T>& my = static_cast<LstmState<T>&>(state);
    ops::LstmGradients<T> gradients{};
    gradients.dy = return_sequences_ ? dy : nullptr;
    gradients.dh_n = return_sequences_ ? nullptr : dy;
    gradients.dx = dx;
    gradients.dblock = pass.gradients + block_;
    gradients.bias = options_.use_bias;
    ops::lstm_backward(shape_, pass.values + block_, my.call, gradients, my.workspace);
  }

 private:
  ops::LstmShape<T> shape_;  // of one input until the input is declared
  LstmOptions options_;
  bool return_sequences_;
  index block_ = 0;
};

}  // namespace

template <class T>
std::unique_ptr<Layer<T>> make_lstm(const base::FlatConfig& config) {
  return std::make_unique<Lstm<T>>(config.integer("units", 1, kMaxUnits), read_lstm_options(config),
                                   config.flag_or("return_sequences", false));
}

template std::unique_ptr<Layer<float>> make_lstm(const base::FlatConfig& config);
template std::unique_ptr<Layer<double>> make_lstm(const base::FlatConfig& config);

}  // namespace lstmfast::layers
