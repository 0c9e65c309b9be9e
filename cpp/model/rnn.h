// A stack of LSTM layers on a caller's arrays, as torch.nn.LSTM: one or two directions a layer,
// states in and out, gradients on request. Knows no graph, no training loop, no Python.
//
// L layers of D directions are numbered n = layer * D + direction; the second direction runs from
// the last step to the first. A layer returns D * O values a step, those of each direction
// contiguous.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/busy.h"
#include "base/no_copy.h"
#include "layers/lstm_directions.h"
#include "layers/parameters.h"
#include "layers/shape.h"
#include "model/pool.h"

namespace lstmfast::model {

struct RnnOptions {
  index input = 0, hidden = 0, layers = 1, directions = 1;
  layers::LstmOptions lstm;  // use_bias false: the bias is no parameter and stays 0
  bool cell_states = false;  // whether calls return c of every step
  double dropout = 0;        // between layers, in training
  std::uint64_t seed = 0;    // of all masks

  index outputs() const {  // O
    return lstm.cell.projection > 0 ? lstm.cell.projection : hidden;
  }
};

// Reads the options of layers::rnn_options(). Throws std::invalid_argument that names the
// wrong one.
RnnOptions read_rnn_options(const base::Options& given, std::uint64_t seed);

// A caller's array with its shape; data null: not given.
template <class P>
struct RnnArray {
  P data = nullptr;
  layers::Shape shape;
};

template <class T>
struct RnnInput {
  bool batch_first = true;
  // [B][T][I], or [T][B][I]. With [T][I], one sequence, no array of the call has an axis B.
  RnnArray<const T*> x;
  RnnArray<const T*> h0, c0;              // [L D][B][O], [L D][B][H]
  RnnArray<const index*> lengths;         // [B]; of one sequence any array with one element
  RnnArray<const unsigned char*> resets;  // [B][T], or [T][B] as x
};

// Copies of an input's lengths and resets, in the form of LstmCall. Steps and backward read them
// after the check, when the caller's arrays may have changed.
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

// Throws if `out` [count] shares memory with an array of the input: y is written while later steps
// still read x.
template <class T>
void check_output(const char* op, const RnnInput<T>& input, const T* out, index count);

// Inference is const and may run in any number of threads while no thread sets parameters. A call
// that throws may have written part of its outputs; everything else is unchanged, except that a
// failed training call or backward leaves no cache for backward.
template <class T>
class Rnn : base::NoCopy {
 public:
  explicit Rnn(const RnnOptions& options);

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
  // Sets all or, if it throws, none. Makes backward of an earlier training call an error.
  void set(const std::vector<Value>& values);
  void get_gradient(const Parameter& parameter, T* logical) const;
  // The number of training calls so far, which is the key of the next one's random masks.
  std::uint64_t training_calls() const { return training_calls_; }
  void set_training_calls(std::uint64_t calls) { training_calls_ = calls; }
  void zero_gradients() {
    const base::Busy busy(busy_, "lstm.zero_grad", base::Busy::Kind::nested);
    gradients_.zero();
    gradients_are_zero_ = true;
  }

  // Returns the call for an input, without its outputs. The call points into `rows`, which must
  // live as long as the arrays of the input. Throws std::invalid_argument that names the array of
  // wrong shape or content.
  ops::LstmCall<T> check(const char* op, const RnnInput<T>& input, RnnRows& rows) const;

  // States are [L D][B][O] and [L D][B][H], y has D * O values and cells, those of the last layer,
  // D * H; else as ops::LstmCall says. y may be null.
  void infer(const ops::LstmCall<T>& call) const;
  // traces [L D].
  void trace(const ops::LstmCall<T>& call, const std::vector<ops::LstmTrace<T>>& traces) const;

  // As infer, with random masks (unless noise.draw is false). Fills the one cache that backward
  // reads. x, y (not null), states, lengths and resets of the call must stay unchanged until
  // backward.
  void train(const ops::LstmCall<T>& call);

  // For Busy: set, train, backward and the calls that read or zero gradients exclude each other. A
  // caller that needs the state after a call unchanged takes a lease around both.
  base::BusyFlag& busy() { return busy_; }

  // The call of the cache; throws where there is none.
  const ops::LstmCall<T>& trained_call(const char* op) const;

  // dy has the layout of y, dx of x, gradients of states that of states, and dcells that of the
  // call's cells, which dcells requires. dblock and bias are not read: gradients are added to those
  // of the parameters. A call that throws adds nothing.
  void backward(const ops::LstmGradients<T>& gradients);

  double flops(index steps, index batch) const;  // of inference, roughly

  // Frees the memory kept for later calls, including the cache of a training call.
  void release_memory();

 private:
  using Run = layers::LstmRun<T>;

  struct Memory {
    std::vector<Run> runs;  // by n; inference uses one a direction
    base::Arena arena, backward_arena;
    // [T][B][D O] between layer l and l + 1; without dropout `masked` is `outputs`.
    std::vector<T*> outputs, masks, masked;
  };
  enum class Pass { infer, train, trace };

  void plan(const ops::LstmCall<T>& call, Pass pass, Memory& memory) const;
  // Of one layer, from its first run on.
  layers::LstmRuns<T> runs_from(Run* first) const {
    return layers::LstmRuns<T>(*first, options_.directions > 1 ? first + 1 : nullptr);
  }
  // Sets the calls of layer l's directions for a call of the stack.
  void begin(const ops::LstmCall<T>& call, index l, Memory& memory, Run* runs) const;
  void forward(const ops::LstmCall<T>& call, Pass pass, Memory& memory,
               const ops::LstmTrace<T>* traces = nullptr) const;
  // Calls f(); an OutOfMemory error then names the call: "`what` of x (...)".
  template <class F>
  void with_memory(const char* op, const char* what, const ops::LstmCall<T>& call, F f) const;
  void backward_layers(const ops::LstmCall<T>& call, const ops::LstmGradients<T>& gradients,
                       bool from_zero, Memory& memory);
  void drop(const ops::LstmCall<T>& call, index l, Memory& memory) const;
  bool drops(const ops::LstmCall<T>& call) const { return options_.dropout > 0 && call.noise.draw; }

  RnnOptions options_;
  std::vector<layers::LstmDirection<T>> directions_;  // by n
  std::vector<index> blocks_;                         // where the parameters of n start
  std::vector<Parameter> parameters_;
  base::Buffer<T> values_, gradients_;
  base::Buffer<T> gradients_before_;  // a copy from before the running backward, to undo it
  bool gradients_are_zero_ = true;

  // Of training. Null during a call, so that a child of a fork meanwhile makes its own, and neither
  // reads nor frees what the call had partly changed.
  std::unique_ptr<Memory> memory_;
  ops::LstmCall<T> call_{};
  enum class Cache { none, filled, outdated } cache_ = Cache::none;
  std::uint64_t training_calls_ = 0;
  std::uint64_t weights_version_ = 1;
  mutable base::BusyFlag busy_;
  mutable Pool<Memory> pool_;
};

}  // namespace lstmfast::model
