// ConvLSTM1D and ConvLSTM2D: LSTM cells at every position, whose products with x and h are
// convolutions. Inputs: x [, h0, c0]. Outputs: y, which is h of every step or of the last one, and
// optionally h and c of the last step.
#include "ops/conv_lstm.h"

#include <algorithm>

#include "layers/list.h"
#include "layers/windows.h"

namespace lstmfast::layers {
namespace {

template <class T>
class ConvolutionalLstm : public LayerWith<T, ConvolutionalLstm<T>> {
 public:
  struct State : LayerState {
    base::Slot<unsigned char> steps_mask;  // [batch][steps]
    base::Slot<unsigned char> mask;        // of the output
    index windows = 0;                     // positions of a step of it
    ops::ConvLstm<T> run;
    ops::ConvLstmCall<T> call{};
  };

  ConvolutionalLstm(int axes, const base::Values& options)
      : axes_(convolution_axes(options, axes)),
        shape_(1, options["filters"].integer(), 1),
        sequences_(read_sequences(options)),
        reverse_(options["go_backwards"].flag()),
        use_bias_(options["use_bias"].flag()) {
    cell_.activation = cell_.output_activation = activation_of(options["activation"].text());
    cell_.recurrent_activation = activation_of(options["recurrent_activation"].text());
    noise_.input = options["dropout"].number();
    noise_.recurrent = options["recurrent_dropout"].number();
    if (sequences_.stateful) this->make_stateful({0, 0});
  }

  InputCount input_count() const override { return {1, 3, " with the initial h and c"}; }
  bool optional_output(index output) const override { return output > 0; }
  Shapes output_shapes(const Shapes& inputs) const override {
    const std::string kind = this->kind();
    check_input(
        inputs[0].rank == axes_.axes + 2, kind, inputs[0],
        axes_.axes == 1 ? "(steps, positions, features)" : "(steps, rows, columns, features)");
    const Shape state = axes_.output_shape(kind, inputs[0].without(0), shape_.filters, "positions");
    check_features(kind.c_str(), inputs[0], this->built() ? shape_.channels : 0);
    static_cast<void>(kernel_shape(inputs[0].features()).count());  // throws if that is too much
    static_cast<void>(kernel_shape(shape_.filters).count());
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      LF_CHECK(inputs[i].fits(state), "[" << kind << "] initial " << (i == 1 ? "h" : "c")
                                          << " of a sample has shape " << inputs[i].text()
                                          << "; expected " << state.text());
    }
    LF_CHECK(!sequences_.stateful || (state.known() && (cells_ == 0 || state.count() == cells_)),
             "[" << kind << "] h of a sample has shape " << state.text() << "; expected "
                 << (state.known() ? "as many elements as the state that the layer carries"
                                   : "known sizes with stateful=True"));
    return {sequences_.all ? Shape{inputs[0].sizes[0]} + state : state, state, state};
  }
  std::vector<index> state_sizes() const override { return {cells_, cells_}; }
  bool masks(index output, const std::vector<bool>& masked) const override {
    return output == 0 && masked[0] && sequences_.all;
  }
  double flops(const Shapes& inputs) const override {
    const double outputs = static_cast<double>(inputs[0].sizes[0]) *
                           static_cast<double>(output_shapes(inputs)[1].count());
    return outputs *
           (8.0 * static_cast<double>(shape_.input.inputs + shape_.recurrent.inputs) + 80.0);
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape& x = my.shapes[0];
    const Shape step = x.without(0);
    my.run.arrange(shape_, cell_,
                   {axes_.windows(step, 0), axes_.windows(step, 1), x.sizes[0], extent.batch,
                    extent.training, my.fixed ? ops::LstmNoise() : noise_});
    my.steps_mask = planner.add<unsigned char>(extent.batch * x.sizes[0]);
    my.windows = output_shapes({x})[1].rows();
    my.mask =
        planner.add<unsigned char>(sequences_.all ? extent.batch * x.sizes[0] * my.windows : 0);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    CarriedState<T>* const carried = pass.carries ? this->carried() : nullptr;
    if (carried != nullptr) carried->begin(pass.batch);
    ops::ConvLstmCall<T>& call = my.call;
    const auto part = [&](index i) { return carried == nullptr ? nullptr : carried->part(i); };
    call = {};
    call.input = this->values();
    call.recurrent = this->values() + recurrent_;
    call.batch = pass.batch;
    call.x = in[0].values;
    call.reverse = reverse_;
    call.hold = !sequences_.zero_masked;
    call.last = !sequences_.all;
    call.h0 = in.size() > 1 ? in[1].values : part(0);
    call.c0 = in.size() > 1 ? in[2].values : part(1);
    call.y = out[0].values;
    call.h_n = out[1].values != nullptr ? out[1].values : part(0);
    call.c_n = out[2].values != nullptr ? out[2].values : part(1);
    if (!my.fixed) call.noise = noise_;
    call.noise.seed = sequences_.seed.value_or(pass.seed);
    call.noise.stream = my.stream;
    call.noise.step = pass.step;
    out[0].mask = set_mask(pass, my, in[0].mask);
    my.run.forward(call, pass.training);
    for (index i = 0; carried != nullptr && i < 2; ++i) {
      const T* const state = i == 0 ? call.h_n : call.c_n;
      if (state != part(i)) std::copy_n(state, pass.batch * cells_, part(i));
    }
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    ops::ConvLstmGradients<T> d{};
    d.dy = out[0].gradient;
    d.dh_n = out[1].gradient;
    d.dc_n = out[2].gradient;
    d.dx = in[0].gradient;
    if (in.size() > 1) {
      d.dh0 = in[1].gradient;
      d.dc0 = in[2].gradient;
    }
    d.dinput = this->gradients(pass, my);
    if (d.dinput != nullptr) d.drecurrent = d.dinput + recurrent_;
    d.bias = use_bias_;
    my.run.backward(my.call, d);
  }

 private:
  // Sets the mask of the call: a step is real if any of its positions is. Returns the output's.
  const unsigned char* set_mask(const Pass<T>& pass, State& my, const unsigned char* mask) const {
    if (mask == nullptr) return nullptr;
    const Shape& x = my.shapes[0];
    const index steps = x.sizes[0], positions = x.without(0).rows();
    const index windows = my.windows;
    unsigned char* const real = pass.arena->at(my.steps_mask);
    unsigned char* const of_output = sequences_.all ? pass.arena->at(my.mask) : nullptr;
    for (index r = 0; r < pass.batch * steps; ++r) {
      const unsigned char* const first = mask + r * positions;
      real[r] = std::any_of(first, first + positions, [](auto m) { return m != 0; }) ? 1 : 0;
      if (of_output != nullptr) std::fill_n(of_output + r * windows, windows, real[r]);
    }
    my.call.mask = real;
    return of_output;
  }

  Shape kernel_shape(index channels) const {
    Shape out;
    for (const index size : axes_.taps) out.append(size);
    out.append(channels);
    out.append(4 * shape_.filters);
    return out;
  }

  void declare_parameters(const Shapes& inputs) override {
    const index taps = kernel_shape(1).rows();
    shape_ = ops::ConvLstmShape<T>(inputs[0].features(), shape_.filters, taps);
    Parameters<T>& parameters = this->parameters_;
    const auto add = [&](const char* name, const Shape& shape, const ops::PartLayout& part,
                         index block) {
      parameters.add(name, {shape.begin(), shape.end()}, shape_.with_gates(part), block);
    };
    const index input = parameters.add_block(shape_.input.size());
    recurrent_ = parameters.add_block(shape_.recurrent.size());
    add("kernel", kernel_shape(shape_.channels), shape_.input.kernel(), input);
    add("recurrent_kernel", kernel_shape(shape_.filters), shape_.recurrent.kernel(), recurrent_);
    if (use_bias_) add("bias", {4 * shape_.filters}, shape_.input.bias(), input);
    if (!sequences_.stateful) return;
    cells_ = output_shapes(inputs)[1].count();
    this->make_stateful({cells_, cells_});
  }
  bool is_random() const override { return true; }

  WindowAxes axes_;
  ops::ConvLstmShape<T> shape_;  // has one channel and one tap until the parameters are declared
  CellOptions cell_;
  ops::LstmNoise noise_;  // rates alone
  Sequences sequences_;
  bool reverse_, use_bias_;
  index recurrent_ = 0;  // where the recurrent kernel's block begins
  index cells_ = 0;      // of a carried state
};

template <int kAxes>
struct LstmOfAxes {
  template <class T>
  struct Of final : ConvolutionalLstm<T> {
    explicit Of(const base::Values& options) : ConvolutionalLstm<T>(kAxes, options) {}
  };
};

template <int kAxes>
Component conv_lstm() {
  return Family::of<LstmOfAxes<kAxes>::template Of>(
      convolution_options(kAxes, false) +
      base::OptionTable{{activation_option("activation", "tanh"),
                         activation_option("recurrent_activation", "sigmoid"),
                         rate_option("dropout"), rate_option("recurrent_dropout")}} +
      sequence_options());
}

}  // namespace

Component conv_lstm1d() { return conv_lstm<1>(); }
Component conv_lstm2d() { return conv_lstm<2>(); }

}  // namespace lstmfast::layers
