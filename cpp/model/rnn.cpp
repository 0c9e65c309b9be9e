#include "model/rnn.h"

#include "base/check.h"
#include "base/denormals.h"
#include "base/rng.h"
#include "layers/layer.h"
#include "layers/options.h"
#include "model/runtime.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

// One layer's part of an array [L][B][H]; null stays null.
template <class P>
P layer_part(P all, std::size_t layer, index size) {
  return all == nullptr ? nullptr : all + static_cast<index>(layer) * size;
}

}  // namespace

RnnOptions read_rnn_options(index input, index hidden, index layers,
                            const base::FlatConfig::Map& cell, double dropout, std::uint64_t seed) {
  LF_CHECK(input >= 1 && input <= layers::kMaxUnits,
           "[lstm] input_size is " << input << "; expected 1 to " << layers::kMaxUnits);
  LF_CHECK(hidden >= 1 && hidden <= layers::kMaxUnits,
           "[lstm] hidden_size is " << hidden << "; expected 1 to " << layers::kMaxUnits);
  LF_CHECK(layers >= 1 && layers <= 1000,
           "[lstm] num_layers is " << layers << "; expected 1 to 1000");
  LF_CHECK(dropout >= 0 && dropout <= 1, "[lstm] dropout is " << dropout << "; expected 0 to 1");
  const base::FlatConfig config(cell, "lstm");
  RnnOptions options;
  options.input = input;
  options.hidden = hidden;
  options.layers = layers;
  const layers::LstmOptions lstm = layers::read_lstm_options(config);
  options.cell = lstm.cell;
  options.use_bias = lstm.use_bias;
  options.dropout = dropout;
  options.seed = seed;
  config.check_all_used();
  return options;
}

template <class T>
Rnn<T>::Rnn(const RnnOptions& options)
    : options_(options), pool_([] { return std::make_unique<Memory>(); }) {
  require_isa();
  layers::Declaration declaration;
  for (index l = 0; l < options.layers; ++l) {
    shapes_.emplace_back(l == 0 ? options.input : options.hidden, options.hidden, options.cell);
    blocks_.push_back(declaration.add_block(shapes_.back().size()));
    for (const ops::LstmPart& part : shapes_.back().parts()) {
      if (part.name == "bias" && !options.use_bias) continue;
      parameters_.push_back({l, {"", part.name, part.shape, part.layout, blocks_.back()}});
    }
  }
  values_.resize(declaration.size());
  gradients_.resize(declaration.size());
}

template <class T>
const typename Rnn<T>::Parameter& Rnn<T>::parameter(const char* op, index layer,
                                                    const std::string& name) const {
  std::string known;
  for (const Parameter& parameter : parameters_) {
    if (parameter.layer == layer && parameter.place.name == name) return parameter;
    if (parameter.layer == 0) known += (known.empty() ? "" : ", ") + parameter.place.name;
  }
  LF_FAIL("[" << op << "] there is no parameter " << name << " in layer " << layer
              << "; expected layer 0 to " << options_.layers - 1 << " and one of " << known);
}

template <class T>
void Rnn<T>::get(const Parameter& parameter, T* logical) const {
  parameter.place.export_to(values_.data(), logical);
}

template <class T>
void Rnn<T>::set(const Parameter& parameter, const T* logical) {
  const Busy busy(busy_, "lstm.set");
  if (cache_ == Cache::filled) cache_ = Cache::outdated;
  parameter.place.import_from(logical, values_.data());
}

template <class T>
void Rnn<T>::get_gradient(const Parameter& parameter, T* logical) const {
  parameter.place.export_to(gradients_.data(), logical);
}

template <class T>
void Rnn<T>::infer(const ops::LstmCall<T>& call) const {
  typename Pool<Memory>::Lease memory(pool_);
  forward(call, false, *memory);
}

template <class T>
void Rnn<T>::train(const ops::LstmCall<T>& call) {
  const Busy busy(busy_, "lstm.forward", Busy::Kind::nested);
  LF_ASSERT(call.y != nullptr);
  cache_ = Cache::none;
  ++training_calls_;
  forward(call, true, memory_);
  call_ = call;
  cache_ = Cache::filled;
}

template <class T>
const ops::LstmCall<T>& Rnn<T>::trained_call(const char* op) const {
  LF_CHECK(cache_ != Cache::none,
           "[" << op << "] there is nothing to go back through; call with training=True first");
  LF_CHECK(cache_ == Cache::filled,
           "[" << op << "] the parameters were set after the call; call with training=True again");
  return call_;
}

// y of the layer below, in masked[layer - 1], with a new mask in masks[layer - 1].
template <class T>
void Rnn<T>::drop(const ops::LstmCall<T>& call, std::size_t layer, Memory& memory) const {
  const index H = options_.hidden, B = call.batch, count = call.steps * B * H;
  T* const mask = memory.arena.at(memory.masks[layer - 1]);
  const base::RandomStream stream(options_.seed, static_cast<std::uint32_t>(layer),
                                  static_cast<std::uint32_t>(layers::RandomKind::dropout),
                                  training_calls_);
  ops::fill_random_mask<T>(stream, ops::dropout_values<T>(options_.dropout),
                           {B, call.steps, H, mask, H, B * H});
  ops::multiply(count, memory.arena.at(memory.outputs[layer - 1]), mask,
                memory.arena.at(memory.masked[layer - 1]));
}

template <class T>
void Rnn<T>::forward(ops::LstmCall<T> call, bool training, Memory& memory) const {
  const base::FlushDenormals flush;
  const std::size_t last = shapes_.size() - 1;
  const index H = options_.hidden, B = call.batch, states = B * H;
  const bool dropping = training && options_.dropout > 0;
  base::Planner planner;
  memory.outputs.assign(last, {});
  memory.masks.assign(last, {});
  memory.masked.assign(last, {});
  for (std::size_t l = 0; l < last; ++l) {
    // In inference a layer reads one of two and writes the other.
    const bool reuse = !training && l >= 2;
    memory.outputs[l] = reuse ? memory.outputs[l - 2] : planner.add<T>(call.steps * states);
    memory.masks[l] = planner.add<T>(dropping ? call.steps * states : 0);
    memory.masked[l] = planner.add<T>(dropping ? call.steps * states : 0);
  }
  memory.arena.reserve(planner);
  while (memory.workspaces.size() < (training ? shapes_.size() : 1)) {
    memory.workspaces.push_back(std::make_unique<ops::LstmWorkspace<T>>());
  }
  for (std::size_t l = 0; l <= last; ++l) {
    ops::LstmCall<T> part = call;
    if (l > 0) {
      if (dropping) drop(call, l, memory);
      part.x = memory.arena.at(dropping ? memory.masked[l - 1] : memory.outputs[l - 1]);
      part.x_row = H;
      part.x_step = states;
    }
    if (l < last) {
      part.y = memory.arena.at(memory.outputs[l]);
      part.y_row = H;
      part.y_step = states;
    }
    part.h0 = layer_part(call.h0, l, states);
    part.c0 = layer_part(call.c0, l, states);
    part.h_n = layer_part(call.h_n, l, states);
    part.c_n = layer_part(call.c_n, l, states);
    ops::lstm_forward(shapes_[l], values_.data() + blocks_[l], part, training,
                      *memory.workspaces[training ? l : 0]);
  }
}

template <class T>
void Rnn<T>::backward(const ops::LstmGradients<T>& gradients) {
  const Busy busy(busy_, "lstm.backward", Busy::Kind::nested);
  const ops::LstmCall<T>& call = trained_call("lstm.backward");
  const base::FlushDenormals flush;
  cache_ = Cache::none;  // its gates become gradients
  const std::size_t last = shapes_.size() - 1;
  const index H = options_.hidden, B = call.batch, states = B * H, count = call.steps * states;
  const bool dropped = options_.dropout > 0;
  base::Planner planner;
  const base::Slot<T> scratch[2] = {planner.add<T>(last > 0 ? count : 0),
                                    planner.add<T>(last > 1 ? count : 0)};
  memory_.backward_arena.reserve(planner);
  for (std::size_t l = last + 1; l-- > 0;) {
    ops::LstmCall<T> part = call;
    ops::LstmGradients<T> g = gradients;
    if (l > 0) {
      part.x = memory_.arena.at(dropped ? memory_.masked[l - 1] : memory_.outputs[l - 1]);
      part.x_row = H;
      part.x_step = states;
      g.dx = memory_.backward_arena.at(scratch[(last - l) % 2]);
    }
    if (l < last) {
      part.y = memory_.arena.at(memory_.outputs[l]);
      part.y_row = H;
      part.y_step = states;
      g.dy = memory_.backward_arena.at(scratch[(last - l - 1) % 2]);
    }
    part.h0 = layer_part(call.h0, l, states);
    part.c0 = layer_part(call.c0, l, states);
    g.dh_n = layer_part(gradients.dh_n, l, states);
    g.dc_n = layer_part(gradients.dc_n, l, states);
    g.dh0 = layer_part(gradients.dh0, l, states);
    g.dc0 = layer_part(gradients.dc0, l, states);
    g.dblock = gradients_.data() + blocks_[l];
    g.bias = options_.use_bias;
    ops::lstm_backward(shapes_[l], values_.data() + blocks_[l], part, g, *memory_.workspaces[l]);
    if (l > 0 && dropped) {
      ops::multiply(count, static_cast<const T*>(g.dx), memory_.arena.at(memory_.masks[l - 1]),
                    g.dx);
    }
  }
}

template <class T>
double Rnn<T>::flops(index steps, index batch) const {
  double sum = 0;
  for (const ops::LstmShape<T>& shape : shapes_) {
    sum += static_cast<double>(shape.gates * shape.hidden) *
           (2.0 * static_cast<double>(shape.input + shape.hidden) + 20.0);
  }
  return sum * static_cast<double>(steps) * static_cast<double>(batch);
}

template class Rnn<float>;
template class Rnn<double>;

}  // namespace lstmfast::model
