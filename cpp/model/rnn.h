// LSTM layers one above the other on a caller's arrays, in torch's manner: one or two directions a
// layer, states in and out, gradients on request. Knows no graph, no training loop, no Python.
//
// L layers of D directions are numbered n = layer * D + direction; the second direction goes from
// the end to the beginning. A layer gives out D * O values a step, side by side by direction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/busy.h"
#include "layers/lstm_directions.h"
#include "layers/parameters.h"
#include "layers/shape.h"
#include "model/kept_memory.h"
#include "model/pool.h"

namespace lstmfast::model {

struct RnnOptions {
  index input = 0, hidden = 0, layers = 1, directions = 1;
  layers::LstmOptions lstm;  // use_bias false: the bias is no parameter and stays 0
  bool cell_states = false;  // whether calls give out c of every step
  double dropout = 0;        // between layers, in training
  std::uint64_t seed = 0;    // of all masks

  index outputs() const {  // O
    return lstm.cell.projection > 0 ? lstm.cell.projection : hidden;
  }
};

// From the options of layers::lstm_engine_options(). Throws std::invalid_argument naming what is
// wrong.
RnnOptions read_rnn_options(const base::Options& given, std::uint64_t seed);

// A caller's array with its shape; null data: not given.
template <class P>
struct RnnArray {
  P data = nullptr;
  layers::Shape shape;
};

template <class T>
struct RnnInput {
  bool batch_first = true;
  // [B][T][I], or [T][B][I]. [T][I] is one sequence, and no array of its call has an axis B.
  RnnArray<const T*> x;
  RnnArray<const T*> h0, c0;              // [L D][B][O], [L D][B][H]
  RnnArray<const index*> lengths;         // [B]; of one sequence any array with one element
  RnnArray<const unsigned char*> resets;  // [B][T], or [T][B] as x
};

// Copies of an input's lengths and resets, as LstmCall has them. Steps and backward read them again
// after the check, and the caller's arrays may have changed by then.
struct RnnRows {
  std::vector<index> lengths;
  std::vector<unsigned char> resets;
};

// [L D][B][features], or [L D][features] for one sequence `x`.
inline layers::Shape state_shape(const RnnOptions& options, const layers::Shape& x, index batch,
                                 index features) {
  const index parts = options.layers * options.directions;
  if (x.rank == 2) return {parts, features};
  return {parts, batch, features};
}

// That `out` [count] shares no memory with an array of the input: y is written while later steps
// read x.
template <class T>
void check_output(const char* op, const RnnInput<T>& input, const T* out, index count);

// Inference is const and may run in any number of threads while nobody sets parameters. A call that
// throws may have written part of its outputs; all else is as it was, but that there is nothing to
// go back through after a training call or backward.
template <class T>
class Rnn {
 public:
  explicit Rnn(const RnnOptions& options);
  Rnn(const Rnn&) = delete;
  Rnn& operator=(const Rnn&) = delete;

  const RnnOptions& options() const { return options_; }

  struct Parameter {
    index layer;  // n
    layers::Parameter place;
  };
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const Parameter& parameter(const char* op, index layer, const std::string& name) const;
  void get(const Parameter& parameter, T* logical) const;
  struct Value {
    const Parameter* parameter;
    const T* logical;
  };
  // All or, where it throws, none. Backward of an earlier training call is refused from then on.
  void set(const std::vector<Value>& values);
  void get_gradient(const Parameter& parameter, T* logical) const;
  // How many training calls there were: it names the masks of the next one.
  std::uint64_t training_calls() const { return training_calls_; }
  void set_training_calls(std::uint64_t calls) { training_calls_ = calls; }
  void zero_gradients() {
    const base::Busy busy(busy_, "lstm.zero_grad", base::Busy::Kind::nested);
    gradients_.zero();
    gradients_are_zero_ = true;
  }

  // The call that an input amounts to, without its outputs; it points into `rows`, which must stay
  // as long as the arrays of the input. Throws std::invalid_argument naming the array of the wrong
  // shape or content.
  ops::LstmCall<T> check(const char* op, const RnnInput<T>& input, RnnRows& rows) const;

  // States are [L D][B][O] and [L D][B][H], y has D * O values and cells, those of the last layer,
  // D * H; else as ops::LstmCall says. y may be null.
  void infer(const ops::LstmCall<T>& call) const;
  // traces [L D].
  void trace(const ops::LstmCall<T>& call, const std::vector<ops::LstmTrace<T>>& traces) const;

  // As infer, but with what is random (unless noise.draw is false), and keeps the one cache that
  // backward reads: x, y (not null), states, lengths and resets of the call must stay as they are
  // until then.
  void train(const ops::LstmCall<T>& call);

  // For Busy: set, train, backward and the calls about gradients exclude each other. A caller whose
  // arrays must stay as one of the last two left them takes a lease around it.
  base::BusyFlag& busy() { return busy_; }

  // The call of the cache; throws where there is none.
  const ops::LstmCall<T>& trained_call(const char* op) const;

  // dy laid out as y, dx as x, state gradients as states; dcells as the call's cells, which must
  // have been there. dblock and bias are not read: gradients are added to those of the
  // parameters. A call that throws adds nothing.
  void backward(const ops::LstmGradients<T>& gradients);

  double flops(index steps, index batch) const;  // of inference, roughly

  // Frees what calls keep for those to come, the cache of a training call too.
  void release_memory();

 private:
  using Run = layers::LstmRun<T>;

  struct Memory {
    std::vector<Run> runs;  // by n; inference uses one a direction
    base::Arena arena, backward_arena;
    // [T][B][D O] between layer l and l + 1; masked is outputs without dropout.
    std::vector<base::Slot<T>> outputs, masks, masked;
  };
  enum class Pass { infer, train, trace };

  void plan(const ops::LstmCall<T>& call, Pass pass, Memory& memory) const;
  // What layer l gets of a call.
  void begin(const ops::LstmCall<T>& call, index l, Memory& memory, Run* runs) const;
  void forward(const ops::LstmCall<T>& call, Pass pass, Memory& memory,
               const ops::LstmTrace<T>* traces = nullptr) const;
  // f(); its OutOfMemory error names the call: "`what` of x (...)".
  template <class F>
  void with_memory(const char* op, const char* what, const ops::LstmCall<T>& call, F f) const;
  void backward_layers(const ops::LstmCall<T>& call, const ops::LstmGradients<T>& gradients,
                       Memory& memory);
  void drop(const ops::LstmCall<T>& call, index l, Memory& memory) const;
  bool drops(const ops::LstmCall<T>& call) const { return options_.dropout > 0 && call.noise.draw; }

  RnnOptions options_;
  std::vector<layers::LstmDirection<T>> directions_;  // by n
  std::vector<layers::LstmDirections<T>> layers_;
  std::vector<index> blocks_;  // where the parameters of n start
  std::vector<Parameter> parameters_;
  base::Buffer<T> values_, gradients_;
  base::Buffer<T> gradients_before_;  // the running backward
  bool gradients_are_zero_ = true;

  KeptMemory<Memory> memory_;  // of training
  ops::LstmCall<T> call_{};
  enum class Cache { none, filled, outdated } cache_ = Cache::none;
  std::uint64_t training_calls_ = 0;
  std::uint64_t weights_version_ = 1;
  mutable base::BusyFlag busy_;
  mutable Pool<Memory> pool_;
};

}  // namespace lstmfast::model
