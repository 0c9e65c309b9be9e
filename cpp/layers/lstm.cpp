#include "layers/lstm.h"

#include <algorithm>

#include "base/check.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

LstmSequences read_sequences(const base::Values& options) {
  LstmSequences s;
  s.all = options["return_sequences"].flag();
  s.stateful = options["stateful"].flag();
  s.zero_masked = options["zero_output_for_mask"].flag();
  s.seed = read_seed(options);
  return s;
}

template <class T>
LstmDirection<T> read_direction(const base::Values& values) {
  const LstmOptions options = read_lstm_layer(values);
  return {{1, values["units"].integer(), options.cell}, options, values["go_backwards"].flag()};
}

// The element of values [steps][step] where the call's step 0 is stored.
template <class T>
T* first_of_run(T* values, index step, const LstmPorts<T>& ports) {
  return values + (ports.against_time ? (ports.steps - 1) * step : 0);
}

template <class T>
T* either(T* wanted, T* otherwise) {
  return wanted != nullptr ? wanted : otherwise;
}

}  // namespace

template <class T>
struct Lstm<T>::State : LayerState {
  index steps = 0;
  base::Slot<T> sequence;  // see LstmPorts
  LstmRun<T> run;
};

template <class T>
Lstm<T>::Lstm(const base::Values& options)
    : direction_(read_direction<T>(options)), sequences_(read_sequences(options)) {
  if (sequences_.stateful) this->make_stateful(Lstm::state_sizes());
}

template <class T>
void Lstm<T>::check(const std::vector<Shape>& inputs) const {
  LF_CHECK(inputs.size() == 1 || inputs.size() == 3,
           "[lstm] got " << inputs.size() << " inputs; expected 1, or 3 with the initial h and c");
  LF_CHECK(inputs[0].rank == 2, "[lstm] input of a sample has shape "
                                    << inputs[0].text() << "; expected (steps, features)");
  check_features("lstm", inputs[0], this->built() ? shape().input : 0);
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const Shape expected{state_sizes()[i - 1]};
    LF_CHECK(inputs[i] == expected, "[lstm] initial "
                                        << (i == 1 ? "h" : "c") << " of a sample has shape "
                                        << inputs[i].text() << "; expected " << expected.text());
  }
}

template <class T>
void Lstm<T>::declare_parameters(const std::vector<Shape>& inputs) {
  check(inputs);
  direction_.shape =
      ops::LstmShape<T>(inputs[0].features(), shape().hidden, direction_.options.cell);
  Parameters<T>& parameters = this->parameters_;
  const index block = parameters.add_block(shape().size());
  for (const ops::LstmPart& part : shape().parts()) {
    if (part.name == "bias" && !direction_.options.use_bias) continue;
    parameters.add(part.name, part.shape, part.layout, block);
  }
}

template <class T>
std::vector<Shape> Lstm<T>::output_shapes(const std::vector<Shape>& inputs) const {
  check(inputs);
  const index O = shape().outputs(), H = shape().hidden;
  const Shape y = sequences_.all ? inputs[0].with_features(O) : Shape{O};
  return {y, {O}, {H}, inputs[0].with_features(H)};
}

template <class T>
double Lstm<T>::flops(const std::vector<Shape>& inputs) const {
  // The cell's functions: about 20 operations a gate.
  const double cell = 20.0 * static_cast<double>(shape().gates * shape().hidden);
  return static_cast<double>(inputs[0].rows()) * (shape().flops() + cell);
}

template <class T>
std::unique_ptr<LayerState> Lstm<T>::new_state(StateBinding<T>&) const {
  return std::make_unique<State>();
}

template <class T>
void Lstm<T>::declare(LayerState& state, base::Planner& planner, const Extent& extent) const {
  State& my = static_cast<State&>(state);
  my.steps = extent.inputs[0].rows();
  my.sequence = {};
  if (extent.training && !sequences_.all) {
    my.sequence = planner.add<T>(extent.batch * my.steps * shape().outputs());
  }
}

template <class T>
LstmPorts<T> Lstm<T>::ports(const Pass<T>& pass, const State& my, const std::vector<In<T>>& in,
                            const std::vector<Out<T>>& out) const {
  LstmPorts<T> p{};
  p.x = in[0];
  if (in.size() > 1) {
    p.h0 = in[1];
    p.c0 = in[2];
  }
  p.y = out[0];
  p.h = out[1];
  p.c = out[2];
  p.cells = out[3];
  p.steps = my.steps;
  p.step = shape().outputs();
  p.row = sequences_.all ? my.steps * p.step : p.step;
  p.against_time = direction_.reverse;
  p.sequence = pass.arena->at(my.sequence);
  if (CarriedState<T>* const carried = pass.carries ? this->carried() : nullptr) {
    carried->begin(pass.batch);
    p.carried_h = carried->part(0);
    p.carried_c = carried->part(1);
  }
  return p;
}

template <class T>
void Lstm<T>::begin_forward(const Pass<T>& pass, const LayerState& state, const LstmPorts<T>& ports,
                            const LstmDirections<T>& directions, index d, LstmRun<T>& run) const {
  const index O = shape().outputs(), H = shape().hidden, sign = ports.against_time ? -1 : 1;
  ops::LstmCall<T> call{};
  call.steps = ports.steps;
  call.batch = pass.batch;
  call.x = ports.x.values;
  call.x_row = ports.steps * shape().input;
  call.x_step = shape().input;
  LF_ASSERT(ports.y.values != nullptr || !sequences_.all || !pass.training);
  if (!sequences_.all) {
    call.y = ports.sequence;
    call.y_row = ports.steps * O;
    call.y_step = O;
  } else if (ports.y.values != nullptr) {
    call.y = first_of_run(ports.y.values, ports.step, ports);
    call.y_row = ports.row;
    call.y_step = sign * ports.step;
  }
  if (ports.cells.values != nullptr) {
    call.cells = first_of_run(ports.cells.values, H, ports);
    call.cells_row = ports.steps * H;
    call.cells_step = sign * H;
  }
  call.h0 = ports.h0.values != nullptr ? ports.h0.values : ports.carried_h;
  call.c0 = ports.c0.values != nullptr ? ports.c0.values : ports.carried_c;
  T* const last = sequences_.all ? nullptr : either(ports.last, ports.y.values);
  call.h_n = either(ports.h.values, either(ports.carried_h, last));
  call.c_n = either(ports.c.values, ports.carried_c);
  call.mask = ports.x.mask;
  call.hold = !sequences_.zero_masked;
  call.noise.seed = sequences_.seed.value_or(pass.seed);
  call.noise.stream = state.stream;
  call.noise.step = pass.step;
  directions.begin(d, call, run);
  run.block = this->values();
}

template <class T>
void Lstm<T>::end_forward(const LstmPorts<T>& ports, const LstmRun<T>& run) const {
  const ops::LstmCall<T>& call = run.call;
  const index O = shape().outputs(), B = call.batch;
  const auto carry = [&](const T* state, index size, T* carried) {
    if (carried != nullptr && carried != state) std::copy_n(state, B * size, carried);
  };
  carry(call.h_n, O, ports.carried_h);
  carry(call.c_n, shape().hidden, ports.carried_c);
  for (index b = 0; !sequences_.all && ports.y.values != nullptr && b < B; ++b) {
    T* const y = ports.y.values + b * ports.row;
    const T* const h = call.h_n + b * O;
    if (!shows(call, b)) {
      std::fill_n(y, O, T(0));
    } else if (y != h) {
      std::copy_n(h, O, y);
    }
  }
}

template <class T>
void Lstm<T>::begin_backward(const Pass<T>& pass, const LayerState& state,
                             const LstmPorts<T>& ports, LstmRun<T>& run) const {
  const index O = shape().outputs(), B = pass.batch;
  ops::LstmGradients<T>& gradients = run.gradients;
  gradients = {};
  gradients.dh_n = ports.h.gradient;
  gradients.dc_n = ports.c.gradient;
  T* const dy = ports.y.gradient;
  if (dy != nullptr && sequences_.all) gradients.dy = first_of_run(dy, ports.step, ports);
  if (dy != nullptr && !sequences_.all) {
    T* const last = either(ports.last, dy);
    for (index b = 0; b < B; ++b) {
      if (!shows(run.call, b)) {
        std::fill_n(last + b * O, O, T(0));
      } else if (last != dy) {
        std::copy_n(dy + b * ports.row, O, last + b * O);
      }
    }
    const T* const dh = ports.h.gradient;
    if (dh != nullptr) ops::add(B * O, static_cast<const T*>(last), dh, last);
    gradients.dh_n = last;
  }
  if (ports.cells.gradient != nullptr) {
    gradients.dcells = first_of_run(ports.cells.gradient, shape().hidden, ports);
  }
  gradients.dx = ports.x.gradient;
  gradients.dh0 = ports.h0.gradient;
  gradients.dc0 = ports.c0.gradient;
  gradients.dblock = this->gradients(pass, state);
  gradients.bias = direction_.options.use_bias;
}

template <class T>
void Lstm<T>::forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                      std::vector<Out<T>>& out) const {
  State& my = static_cast<State&>(state);
  out[0].mask = sequences_.all ? in[0].mask : nullptr;
  const LstmPorts<T> p = ports(pass, my, in, out);
  begin_forward(pass, my, p, alone_, 0, my.run);
  alone_.forward(&my.run, pass.training);
  end_forward(p, my.run);
}

template <class T>
void Lstm<T>::backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                       const std::vector<Out<T>>& out) const {
  State& my = static_cast<State&>(state);
  begin_backward(pass, my, ports(pass, my, in, out), my.run);
  alone_.backward(&my.run);
}

// Whether the last y of a row is its h and not 0: with zero_masked if the last step is real, else
// if any step is.
template <class T>
bool Lstm<T>::shows(const ops::LstmCall<T>& call, index row) const {
  if (call.mask == nullptr) return true;
  const unsigned char* const mask = call.mask + row * call.steps;
  if (sequences_.zero_masked) return mask[direction_.reverse ? 0 : call.steps - 1] != 0;
  return std::any_of(mask, mask + call.steps, [](auto m) { return m != 0; });
}

template class Lstm<float>;
template class Lstm<double>;

Component lstm() { return Family::of<Lstm>(lstm_layer_options()); }

}  // namespace lstmfast::layers
