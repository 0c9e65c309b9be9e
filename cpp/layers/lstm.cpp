#include "layers/lstm.h"

#include <algorithm>

#include "base/check.h"
#include "layers/list.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct LstmState : LayerState {
  index steps = 0;
  base::Slot<T> sequence;  // [batch][steps][O]: h of all steps, where only the last is the output
  base::Slot<T> last;      // [batch][O]: it, then its gradient
  ops::LstmCall<T> call{};
  ops::LstmWorkspace<T> workspace;
};

template <class T>
LstmState<T>& own(LayerState& state) {
  return static_cast<LstmState<T>&>(state);
}

LstmSequences read_sequences(const base::Values& options) {
  LstmSequences s;
  s.all = options["return_sequences"].flag();
  s.backwards = options["go_backwards"].flag();
  s.stateful = options["stateful"].flag();
  s.zero_masked = options["zero_output_for_mask"].flag();
  s.seed = read_seed(options);
  return s;
}

template <class T>
std::unique_ptr<Layer<T>> make(const base::Values& options) {
  return std::make_unique<Lstm<T>>(options);
}

}  // namespace

Component lstm() { return {lstm_layer_options(), make<float>, make<double>}; }

template <class T>
Lstm<T>::Lstm(const base::Values& options)
    : shape_(1, options["units"].integer(), read_lstm_layer(options).cell),
      options_(read_lstm_layer(options)),
      sequences_(read_sequences(options)) {}

template <class T>
void Lstm<T>::declare_parameters(const Shape& input, Declaration& declaration) {
  LF_CHECK(input.rank == 2,
           "[lstm] input of a sample has shape " << input.text() << "; expected (steps, features)");
  LF_CHECK(input.features() > 0 && input.features() <= kMaxUnits,
           "[lstm] input of a sample has shape " << input.text() << "; expected features from 1 to "
                                                 << kMaxUnits);
  shape_ = ops::LstmShape<T>(input.features(), shape_.hidden, shape_.options);
  block_ = declaration.add_block(shape_.size());
  options_.noise.stream = declaration.add_stream();
  for (const ops::LstmPart& part : shape_.parts()) {
    if (part.name == "bias" && !options_.use_bias) continue;
    declaration.add(part.name, part.shape, part.layout, block_);
  }
}

template <class T>
double Lstm<T>::flops(const Shape& input) const {
  // The cell's functions at about 20 a gate.
  const double cell = 20.0 * static_cast<double>(shape_.gates * shape_.hidden);
  return static_cast<double>(input.rows()) * (shape_.flops() + cell);
}

template <class T>
std::unique_ptr<LayerState> Lstm<T>::make_state() const {
  return std::make_unique<LstmState<T>>();
}

template <class T>
void Lstm<T>::declare(LayerState& state, base::Planner& planner, const Extent& extent) const {
  LstmState<T>& my = own<T>(state);
  my.steps = extent.input.rows();
  my.sequence = my.last = {};
  if (sequences_.all) return;
  my.last = planner.add<T>(extent.batch * shape_.outputs());
  if (extent.training) my.sequence = planner.add<T>(my.last.count * my.steps);
}

// Where y or dy of the first step of the run lies; the next ones lie in front of it where the order
// of the place is against that of time.
template <class T>
template <class U>
U* Lstm<T>::first_of_run(const Place<U>& place, index steps) const {
  return place.y + (sequences_.backwards != place.flipped ? (steps - 1) * place.step : 0);
}

template <class T>
void Lstm<T>::forward_into(const Pass<T>& pass, LayerState& state, const T* x, Place<T> out) const {
  LstmState<T>& my = own<T>(state);
  ops::LstmCall<T>& call = my.call;
  const index O = shape_.outputs(), H = shape_.hidden, B = pass.batch;
  const index sign = sequences_.backwards != out.flipped ? -1 : 1;
  call = {};
  call.steps = my.steps;
  call.batch = B;
  call.x = x;
  call.x_row = my.steps * shape_.input;
  call.x_step = shape_.input;
  if (sequences_.all) {
    call.y = first_of_run(out, my.steps);
    call.y_row = out.row;
    call.y_step = sign * out.step;
  } else {
    call.y = pass.arena->at(my.sequence);
    call.y_row = my.steps * O;
    call.y_step = O;
    call.h_n = pass.arena->at(my.last);
  }
  if (pass.cells != nullptr) {
    call.cells = first_of_run(Place<T>{pass.cells, 0, H, out.flipped}, my.steps);
    call.cells_row = my.steps * H;
    call.cells_step = sign * H;
  }
  if (pass.carried != nullptr) {
    call.h0 = call.h_n = pass.carried;
    call.c0 = call.c_n = pass.carried + B * O;
  }
  call.reverse = sequences_.backwards;
  call.mask = pass.mask;
  call.hold = !sequences_.zero_masked;
  call.noise = options_.noise;
  call.noise.seed = sequences_.seed.value_or(pass.seed);
  call.noise.step = pass.step;
  call.bptt_steps = options_.bptt_steps;
  call.recompute_every = options_.recompute_every;
  ops::lstm_forward(shape_, pass.values + block_, call, pass.training, my.workspace);
  if (sequences_.all) return;
  T* const last = pass.arena->at(my.last);
  if (call.h_n != last) std::copy_n(call.h_n, B * O, last);
  zero_hidden(call, last);
  for (index b = 0; b < B; ++b) std::copy_n(last + b * O, O, out.y + b * out.row);
}

template <class T>
void Lstm<T>::backward_from(const Pass<T>& pass, LayerState& state, Place<const T> dy,
                            T* dx) const {
  LstmState<T>& my = own<T>(state);
  const index O = shape_.outputs();
  ops::LstmGradients<T> gradients{};
  if (sequences_.all) {
    gradients.dy = first_of_run(dy, my.steps);
  } else {
    T* const last = pass.arena->at(my.last);
    for (index b = 0; b < pass.batch; ++b) std::copy_n(dy.y + b * dy.row, O, last + b * O);
    zero_hidden(my.call, last);
    gradients.dh_n = last;
  }
  gradients.dx = dx;
  gradients.dblock = pass.gradients + block_;
  gradients.bias = options_.use_bias;
  ops::lstm_backward(shape_, pass.values + block_, my.call, gradients, my.workspace);
}

template <class T>
template <class U>
typename Lstm<T>::template Place<U> Lstm<T>::whole(const LayerState& state, U* y) const {
  const index O = shape_.outputs();
  const index steps = static_cast<const LstmState<T>&>(state).steps;
  return {y, sequences_.all ? steps * O : O, O, false};
}

template <class T>
void Lstm<T>::forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const {
  forward_into(pass, state, x, whole(state, y));
}

template <class T>
void Lstm<T>::backward(const Pass<T>& pass, LayerState& state, const T*, const T*, T* dy,
                       T* dx) const {
  backward_from(pass, state, whole<const T>(state, dy), dx);
}

// The rows [batch][O] whose last output is 0 whatever their state is: those without a real step,
// or, where masked steps give out 0, those whose last step is masked.
template <class T>
void Lstm<T>::zero_hidden(const ops::LstmCall<T>& call, T* rows) const {
  if (call.mask == nullptr) return;
  const index O = shape_.outputs(), end = sequences_.backwards ? 0 : call.steps - 1;
  for (index b = 0; b < call.batch; ++b) {
    const unsigned char* const mask = call.mask + b * call.steps;
    const bool shown = sequences_.zero_masked
                           ? mask[end] != 0
                           : std::any_of(mask, mask + call.steps, [](auto m) { return m != 0; });
    if (!shown) std::fill_n(rows + b * O, O, T(0));
  }
}

template class Lstm<float>;
template class Lstm<double>;

}  // namespace lstmfast::layers
