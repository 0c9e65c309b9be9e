// Rnn's passes: what one layer hands to the next, and when directions run side by side.
#include <string>
#include <utility>

#include "base/denormals.h"
#include "base/interrupt.h"
#include "base/shape_text.h"
#include "layers/layer.h"
#include "model/rnn.h"
#include "ops/lstm_threads.h"
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
ops::LstmCall<T> Rnn<T>::part_of(const ops::LstmCall<T>& call, index l, index d,
                                 Memory& memory) const {
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const index B = call.batch, n = l * D + d;
  const auto layer = static_cast<std::size_t>(l);
  ops::LstmCall<T> c = call;
  if (l > 0) {
    c.x = memory.arena.at(memory.masked[layer - 1]);
    c.x_row = D * O;
    c.x_step = B * D * O;
  }
  if (l + 1 < options_.layers) {
    c.y = memory.arena.at(memory.outputs[layer]);
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
  c.reverse = d == 1;
  c.noise = options_.lstm.noise;
  c.noise.draw = call.noise.draw;
  c.noise.seed = options_.seed;
  c.noise.stream = static_cast<std::uint32_t>(n);
  c.noise.step = call.noise.step;
  c.bptt_steps = options_.lstm.bptt_steps;
  c.recompute_every = options_.lstm.recompute_every;
  c.weights_version = weights_version_;
  return c;
}

// f(d) for the directions of a layer, which touch nothing of each other.
template <class T>
template <class F>
void Rnn<T>::for_directions(const ops::LstmCall<T>& call, index l, bool backward, F f) const {
  const index D = options_.directions;
  if (D == 1) return f(0);
  const ops::LstmShape<T>& shape = shapes_[static_cast<std::size_t>(l * D)];
  const base::team::Request threads = ops::direction_threads(shape, call.batch, call.steps);
  base::team::parallel_for(threads, D, 1, [&](index begin, index end) {
    // Backward begins with the direction that forward ended with: its caches are the warmest.
    for (index i = begin; i < end; ++i) f(backward ? begin + end - 1 - i : i);
  });
}

// Layer l - 1 to l: y with a new mask.
template <class T>
void Rnn<T>::drop(const ops::LstmCall<T>& call, index l, Memory& memory) const {
  const index width = options_.directions * options_.outputs(), B = call.batch;
  const auto below = static_cast<std::size_t>(l - 1);
  T* const mask = memory.arena.at(memory.masks[below]);
  const base::RandomStream stream(options_.seed, static_cast<std::uint32_t>(l),
                                  static_cast<std::uint32_t>(layers::RandomKind::dropout),
                                  call.noise.step);
  ops::fill_random_mask<T>(stream, ops::dropout_values<T>(options_.dropout),
                           {B, call.steps, width, mask, width, B * width});
  ops::multiply(call.steps * B * width, memory.arena.at(memory.outputs[below]), mask,
                memory.arena.at(memory.masked[below]));
}

template <class T>
void Rnn<T>::plan(const ops::LstmCall<T>& call, Pass pass, Memory& memory) const {
  const auto between = static_cast<std::size_t>(options_.layers - 1);
  const index count = call.steps * call.batch * options_.directions * options_.outputs();
  base::Planner planner;
  memory.outputs.resize(between);
  memory.masks.resize(between);
  memory.masked.resize(between);
  for (std::size_t l = 0; l < between; ++l) {
    // In inference a layer reads one of two and writes the other.
    const bool reuse = pass != Pass::train && l >= 2;
    memory.outputs[l] = reuse ? memory.outputs[l - 2] : planner.add<T>(count);
    memory.masked[l] = memory.outputs[l];
    if (pass != Pass::train || !drops(call)) continue;
    memory.masks[l] = planner.add<T>(count);
    memory.masked[l] = planner.add<T>(count);
  }
  memory.arena.reserve(planner);
  const auto wanted =
      pass == Pass::train ? shapes_.size() : static_cast<std::size_t>(options_.directions);
  while (memory.workspaces.size() < wanted)
    memory.workspaces.push_back(std::make_unique<ops::LstmWorkspace<T>>());
}

template <class T>
void Rnn<T>::release_memory() {
  const base::Busy busy(busy_, "lstm.release_memory");
  cache_ = Cache::none;
  memory_.clear();
  pool_.clear();
  gradients_before_ = {};
}

template <class T>
void Rnn<T>::forward(const ops::LstmCall<T>& call, Pass pass, Memory& memory,
                     const std::vector<ops::LstmTrace<T>>* traces) const {
  if (call.batch == 0) return;
  const base::FlushDenormals flush;
  const index D = options_.directions;
  plan(call, pass, memory);
  for (index l = 0; l < options_.layers; ++l) {
    if (l > 0 && pass == Pass::train && drops(call)) drop(call, l, memory);
    for_directions(call, l, false, [&](index d) {
      const auto n = static_cast<std::size_t>(l * D + d);
      const ops::LstmCall<T> mine = part_of(call, l, d, memory);
      const T* const block = values_.data() + blocks_[n];
      ops::LstmWorkspace<T>& workspace =
          *memory.workspaces[pass == Pass::train ? n : static_cast<std::size_t>(d)];
      if (pass == Pass::trace) {
        ops::LstmTrace<T> trace = (*traces)[n];
        ops::lstm_trace(shapes_[n], block, mine, trace, workspace);
        // The layer above reads h as it reads y.
        for (index b = 0; mine.y && b < mine.batch; ++b)
          for (index t = 0; t < mine.steps; ++t)
            std::copy_n(trace.h + b * trace.h_row + t * trace.h_step, options_.outputs(),
                        mine.y + b * mine.y_row + t * mine.y_step);
      } else {
        ops::lstm_forward(shapes_[n], block, mine, pass == Pass::train, workspace);
      }
    });
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
    // Not from the pool: its workspaces are as large as those of training.
    Memory memory;
    forward(call, Pass::trace, memory, &traces);
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
    typename KeptMemory<Memory>::Change memory(memory_);
    forward(named, Pass::train, *memory);
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
  // A short call is not interrupted, and a copy would cost it much.
  const bool copied = !from_zero && base::Interrupt::current() != nullptr;
  if (copied) {
    gradients_before_.reserve(gradients_.size());
    std::copy_n(gradients_.data(), gradients_.size(), gradients_before_.data());
  }
  try {
    with_memory("lstm.backward", "the gradients", call, [&] {
      typename KeptMemory<Memory>::Change memory(memory_);
      backward_layers(call, gradients, *memory);
    });
  } catch (...) {
    if (copied) std::copy_n(gradients_before_.data(), gradients_.size(), gradients_.data());
    if (from_zero) zero_gradients();
    throw;
  }
}

template <class T>
void Rnn<T>::backward_layers(const ops::LstmCall<T>& call, const ops::LstmGradients<T>& gradients,
                             Memory& memory) {
  const index D = options_.directions, O = options_.outputs(), H = options_.hidden;
  const index last = options_.layers - 1, B = call.batch;
  const auto inputs = [&](index l) { return call.steps * B * (l > 0 ? D * O : options_.input); };
  base::Planner planner;
  // Gradients between layers, and for x of the second direction: that of both is their sum, taken
  // in the same way whether they run side by side or not.
  const base::Slot<T> between[2] = {planner.add<T>(last > 0 ? inputs(1) : 0),
                                    planner.add<T>(last > 1 ? inputs(1) : 0)};
  const base::Slot<T> second =
      planner.add<T>(D > 1 ? std::max(inputs(0), last > 0 ? inputs(1) : 0) : 0);
  memory.backward_arena.reserve(planner);
  T* const other = memory.backward_arena.at(second);
  const auto dx_of = [&](index l) {
    return l > 0 ? memory.backward_arena.at(between[(last - l) % 2]) : gradients.dx;
  };
  const auto gradients_of = [&](index l, index d) {
    const index n = l * D + d;
    T* const dx = dx_of(l);
    ops::LstmGradients<T> g{};
    g.dy = part(l < last ? static_cast<const T*>(dx_of(l + 1)) : gradients.dy, d, O);
    g.dcells = l == last ? part(gradients.dcells, d, H) : nullptr;
    g.dh_n = part(gradients.dh_n, n, B * O);
    g.dc_n = part(gradients.dc_n, n, B * H);
    g.dx = d == 0 || dx == nullptr ? dx : other;
    g.dh0 = part(gradients.dh0, n, B * O);
    g.dc0 = part(gradients.dc0, n, B * H);
    g.dblock = gradients_.data() + blocks_[static_cast<std::size_t>(n)];
    g.bias = options_.lstm.use_bias;
    return g;
  };
  // All memory is taken before the first gradient is added: want of it adds none.
  for (index n = 0; n < (last + 1) * D; ++n) {
    const auto at = static_cast<std::size_t>(n);
    ops::plan_lstm_backward(shapes_[at], call, gradients_of(n / D, n % D), *memory.workspaces[at]);
  }
  for (index l = last; l >= 0; --l) {
    T* const dx = dx_of(l);
    for_directions(call, l, true, [&](index d) {
      const auto at = static_cast<std::size_t>(l * D + d);
      ops::lstm_backward(shapes_[at], values_.data() + blocks_[at], part_of(call, l, d, memory),
                         gradients_of(l, d), *memory.workspaces[at]);
    });
    if (dx && D > 1) ops::add(inputs(l), static_cast<const T*>(dx), other, dx);
    if (l > 0 && drops(call)) {
      const auto below = static_cast<std::size_t>(l - 1);
      ops::multiply(inputs(l), static_cast<const T*>(dx), memory.arena.at(memory.masks[below]), dx);
    }
  }
}

#define LF_INSTANTIATE(T)                                                                     \
  template void Rnn<T>::infer(const ops::LstmCall<T>&) const;                                 \
  template void Rnn<T>::trace(const ops::LstmCall<T>&, const std::vector<ops::LstmTrace<T>>&) \
      const;                                                                                  \
  template void Rnn<T>::train(const ops::LstmCall<T>&);                                       \
  template void Rnn<T>::release_memory();                                                     \
  template void Rnn<T>::backward(const ops::LstmGradients<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::model
