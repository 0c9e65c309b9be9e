// Rnn's passes through its layers.
#include <string>
#include <utility>

#include "base/denormals.h"
#include "base/interrupt.h"
#include "base/shape_text.h"
#include "layers/layer.h"
#include "model/rnn.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::model {
namespace {

// The part of n in an array [L D][...]; null stays null.
template <class P>
P part(P all, index n, index size) {
  return all == nullptr ? nullptr : all + n * size;
}

}  // namespace

template <class T>
void Rnn<T>::begin(const ops::LstmCall<T>& call, index l, Memory& memory, Run* runs) const {
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const index B = call.batch;
  const auto layer = static_cast<std::size_t>(l);
  for (index d = 0; d < D; ++d) {
    const index n = l * D + d;
    ops::LstmCall<T>& c = runs[d].begin(directions_[static_cast<std::size_t>(n)], call);
    if (l > 0) {
      c.x = memory.masked[layer - 1];
      c.x_row = D * O;
      c.x_step = B * D * O;
    }
    if (l + 1 < options_.layers) {
      c.y = memory.outputs[layer];
      c.y_row = D * O;
      c.y_step = B * D * O;
      c.cells = nullptr;
    }
    c.y = part(c.y, d, O);
    c.cells = part(c.cells, d, H);
    c.h0 = part(call.h0, n, B * O);
    c.c0 = part(call.c0, n, B * H);
    c.h_n = part(call.h_n, n, B * O);
    c.c_n = part(call.c_n, n, B * H);
    c.noise.seed = options_.seed;
    c.noise.stream = static_cast<std::uint32_t>(n);
    c.weights_version = weights_version_;
    runs[d].block = values_.data() + blocks_[static_cast<std::size_t>(n)];
  }
}

// Dropout between layers l - 1 and l: masks y with a new mask.
template <class T>
void Rnn<T>::drop(const ops::LstmCall<T>& call, index l, Memory& memory) const {
  const index width = options_.directions * options_.outputs(), B = call.batch;
  const auto below = static_cast<std::size_t>(l - 1);
  T* const mask = memory.masks[below];
  const base::RandomStream stream(options_.seed, static_cast<std::uint32_t>(l),
                                  static_cast<std::uint32_t>(layers::RandomKind::dropout),
                                  call.noise.step);
  ops::fill_random_mask<T>(stream, ops::dropout_values<T>(options_.dropout),
                           {B, call.steps, width, mask, width, B * width});
  ops::multiply(call.steps * B * width, memory.outputs[below], mask, memory.masked[below]);
}

template <class T>
void Rnn<T>::plan(const ops::LstmCall<T>& call, Pass pass, Memory& memory) const {
  const auto between = static_cast<std::size_t>(options_.layers - 1);
  const index count = call.steps * call.batch * options_.directions * options_.outputs();
  memory.outputs.resize(between);
  memory.masks.resize(between);
  memory.masked.resize(between);
  memory.arena.arrange([&](const auto& place) {
    for (std::size_t l = 0; l < between; ++l) {
      // In inference two arrays are used in turn: a layer reads one and writes the other.
      if (pass != Pass::train && l >= 2) {
        memory.outputs[l] = memory.outputs[l - 2];
      } else {
        place(memory.outputs[l], count);
      }
      memory.masked[l] = memory.outputs[l];
      if (pass != Pass::train || !drops(call)) continue;
      place(memory.masks[l], count);
      place(memory.masked[l], count);
    }
  });
  const auto wanted =
      pass == Pass::train ? directions_.size() : static_cast<std::size_t>(options_.directions);
  if (memory.runs.size() < wanted) memory.runs.resize(wanted);
}

template <class T>
void Rnn<T>::release_memory() {
  const base::Busy busy(busy_, "lstm.release_memory");
  cache_ = Cache::none;
  memory_.reset();
  pool_.clear();
  gradients_before_ = {};
}

template <class T>
void Rnn<T>::forward(const ops::LstmCall<T>& call, Pass pass, Memory& memory,
                     const ops::LstmTrace<T>* traces) const {
  if (call.batch == 0) return;
  const base::FlushDenormals flush;
  plan(call, pass, memory);
  Run* runs = memory.runs.data();
  for (index l = 0; l < options_.layers; ++l) {
    if (l > 0 && pass == Pass::train && drops(call)) drop(call, l, memory);
    begin(call, l, memory, runs);
    if (pass == Pass::trace) {
      runs_from(runs).trace(traces + l * options_.directions);
    } else {
      runs_from(runs).forward(pass == Pass::train);
    }
    if (pass == Pass::train) runs += options_.directions;
  }
}

template <class T>
template <class F>
void Rnn<T>::with_memory(const char* op, const char* what, const ops::LstmCall<T>& call,
                         F f) const {
  base::with_memory(f, [&] {
    return std::string("[") + op + "] out of memory: " + what + " of x " +
           base::shape_text({{"B", call.batch}, {"T", call.steps}, {"I", options_.input}}) +
           ", hidden_size=" + std::to_string(options_.hidden) + ",";
  });
}

template <class T>
void Rnn<T>::infer(const ops::LstmCall<T>& call) const {
  with_memory("lstm.forward", "the states", call, [&] {
    typename Pool<Memory>::Lease memory(pool_);
    forward(call, Pass::infer, *memory);
  });
}

template <class T>
void Rnn<T>::trace(const ops::LstmCall<T>& call,
                   const std::vector<ops::LstmTrace<T>>& traces) const {
  with_memory("lstm.trace", "the gates", call, [&] {
    // Not from the pool: a trace needs workspaces as large as those of training.
    Memory memory;
    forward(call, Pass::trace, memory, traces.data());
  });
}

template <class T>
void Rnn<T>::train(const ops::LstmCall<T>& call) {
  const base::Busy busy(busy_, "lstm.forward", base::Busy::Kind::nested);
  LF_ASSERT(call.y != nullptr);
  cache_ = Cache::none;
  ops::LstmCall<T> named = call;
  named.noise.step = training_calls_ + 1;
  with_memory("lstm.forward", "the training cache", call, [&] {
    auto memory = memory_ != nullptr ? std::move(memory_) : std::make_unique<Memory>();
    forward(named, Pass::train, *memory);
    memory_ = std::move(memory);
  });
  ++training_calls_;
  call_ = named;
  cache_ = Cache::filled;
}

template <class T>
void Rnn<T>::backward(const ops::LstmGradients<T>& gradients) {
  const base::Busy busy(busy_, "lstm.backward", base::Busy::Kind::nested);
  const ops::LstmCall<T>& call = trained_call("lstm.backward");
  const base::FlushDenormals flush;
  cache_ = Cache::none;  // its gates become gradients
  if (call.batch == 0) return;
  const bool from_zero = std::exchange(gradients_are_zero_, false);
  // Short calls are not interruptible, and a copy would cost them much.
  const bool copied = !from_zero && base::Interrupt::current() != nullptr;
  if (copied) {
    gradients_before_.reserve(gradients_.size());
    std::copy_n(gradients_.data(), gradients_.size(), gradients_before_.data());
  }
  try {
    with_memory("lstm.backward", "the gradients", call, [&] {
      std::unique_ptr<Memory> memory = std::move(memory_);
      backward_layers(call, gradients, from_zero, *memory);
      memory_ = std::move(memory);
    });
  } catch (...) {
    if (copied) std::copy_n(gradients_before_.data(), gradients_.size(), gradients_.data());
    if (from_zero) zero_gradients();
    throw;
  }
}

template <class T>
void Rnn<T>::backward_layers(const ops::LstmCall<T>& call, const ops::LstmGradients<T>& gradients,
                             bool from_zero, Memory& memory) {
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const index last = options_.layers - 1, B = call.batch;
  const auto inputs = [&](index l) { return call.steps * B * (l > 0 ? D * O : options_.input); };
  // Gradients between layers, and for x of the second direction. The gradient for x of both is
  // their sum, computed in the same way whether they run at the same time or not.
  T *between[2], *second;
  memory.backward_arena.arrange([&](const auto& place) {
    place(between[0], inputs(1), last > 0);
    place(between[1], inputs(1), last > 1);
    place(second, std::max(inputs(0), last > 0 ? inputs(1) : 0), D > 1);
  });
  const auto dx_of = [&](index l) { return l > 0 ? between[(last - l) % 2] : gradients.dx; };
  const auto runs_of = [&](index l) { return memory.runs.data() + l * D; };
  // All memory is allocated before the first gradient is added: a failed allocation adds none.
  for (index l = 0; l <= last; ++l) {
    T* const dx = dx_of(l);
    for (index d = 0; d < D; ++d) {
      const index n = l * D + d;
      ops::LstmGradients<T>& g = runs_of(l)[d].gradients;
      g.dy = part(l < last ? static_cast<const T*>(dx_of(l + 1)) : gradients.dy, d, O);
      g.dcells = l == last ? part(gradients.dcells, d, H) : nullptr;
      g.dh_n = part(gradients.dh_n, n, B * O);
      g.dc_n = part(gradients.dc_n, n, B * H);
      g.dx = d == 0 || dx == nullptr ? dx : second;
      g.dh0 = part(gradients.dh0, n, B * O);
      g.dc0 = part(gradients.dc0, n, B * H);
      g.dblock = gradients_.data() + blocks_[static_cast<std::size_t>(n)];
      g.overwrites = from_zero;
      g.bias = options_.lstm.use_bias;
    }
    runs_from(runs_of(l)).plan_backward();
  }
  for (index l = last; l >= 0; --l) {
    runs_from(runs_of(l)).backward();
    if (l == 0 || !drops(call)) continue;
    const auto below = static_cast<std::size_t>(l - 1);
    T* const dx = dx_of(l);
    ops::multiply(inputs(l), static_cast<const T*>(dx), memory.masks[below], dx);
  }
}

template class Rnn<float>;
template class Rnn<double>;

}  // namespace lstmfast::model
