// LSTM layers one above the other on a caller's arrays, in torch's manner: states in and out,
// gradients on request. Knows no Sequential, no training loop and no Python.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/flat_config.h"
#include "layers/parameters.h"
#include "layers/shape.h"
#include "model/busy.h"
#include "model/pool.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::model {

struct RnnOptions {
  index input = 0, hidden = 0, layers = 1;
  CellOptions cell;
  bool use_bias = true;    // false: the bias is no parameter and stays 0
  double dropout = 0;      // between layers, in training
  std::uint64_t seed = 0;  // of its masks
};

// `cell`: the cell options as text, and use_bias. Throws std::invalid_argument naming what is
// wrong.
RnnOptions read_rnn_options(index input, index hidden, index layers,
                            const base::FlatConfig::Map& cell, double dropout, std::uint64_t seed);

// A caller's array with its shape; null data: not given.
template <class P>
struct RnnArray {
  P data = nullptr;
  layers::Shape shape;
};

template <class T>
struct RnnInput {
  bool batch_first = true;
  RnnArray<const T*> x;                   // [B][T][I], or [T][B][I]
  RnnArray<const T*> h0, c0;              // [L][B][H]
  RnnArray<const index*> lengths;         // [B]
  RnnArray<const unsigned char*> resets;  // [B][T], whatever the layout of x
};

// Inference is const and may run in any number of threads while nobody sets parameters.
template <class T>
class Rnn {
 public:
  explicit Rnn(const RnnOptions& options);
  Rnn(const Rnn&) = delete;
  Rnn& operator=(const Rnn&) = delete;

  const RnnOptions& options() const { return options_; }

  struct Parameter {
    index layer;
    layers::Parameter place;
  };
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const Parameter& parameter(const char* op, index layer, const std::string& name) const;
  void get(const Parameter& parameter, T* logical) const;
  void set(const Parameter& parameter, const T* logical);  // the cache of a training call ends here
  void get_gradient(const Parameter& parameter, T* logical) const;
  // How many training calls there were: it names the masks of the next one.
  std::uint64_t training_calls() const { return training_calls_; }
  void set_training_calls(std::uint64_t calls) { training_calls_ = calls; }
  void zero_gradients() { gradients_.zero(); }

  // The call that an input amounts to, without its outputs. Throws std::invalid_argument naming the
  // array of the wrong shape or content.
  ops::LstmCall<T> check(const char* op, const RnnInput<T>& input) const;
  // That the call's y overlaps none of its inputs: steps write y while later ones read x.
  void check_output(const char* op, const ops::LstmCall<T>& call) const;

  // States are [L][B][H], else as ops::LstmCall says; y may be null.
  void infer(const ops::LstmCall<T>& call) const;

  // As infer, and keeps the one cache that backward reads: x, y (not null), states, lengths and
  // resets of the call must stay as they are until then.
  void train(const ops::LstmCall<T>& call);

  // For Busy: set, train and backward exclude each other. A caller whose arrays must stay as one of
  // the last two left them takes a lease around it.
  BusyFlag& busy() { return busy_; }

  // The call of the cache; throws where there is none.
  const ops::LstmCall<T>& trained_call(const char* op) const;

  // dy laid out as y and dx as x; state gradients [L][B][H]. dblock and bias are not read:
  // gradients are added to those of the parameters.
  void backward(const ops::LstmGradients<T>& gradients);

  double flops(index steps, index batch) const;  // of inference, roughly

 private:
  struct Memory {
    // One a layer; inference uses one.
    std::vector<std::unique_ptr<ops::LstmWorkspace<T>>> workspaces;
    base::Arena arena, backward_arena;
    std::vector<base::Slot<T>> outputs, masks, masked;  // [T][B][H] below each layer but the first
  };

  void forward(ops::LstmCall<T> call, bool training, Memory& memory) const;
  void drop(const ops::LstmCall<T>& call, std::size_t layer, Memory& memory) const;

  RnnOptions options_;
  std::vector<ops::LstmShape<T>> shapes_;  // of each layer
  std::vector<index> blocks_;              // where each layer's parameters start
  std::vector<Parameter> parameters_;
  base::Buffer<T> values_, gradients_;

  Memory memory_;  // of training
  ops::LstmCall<T> call_{};
  enum class Cache { none, filled, outdated } cache_ = Cache::none;
  std::uint64_t training_calls_ = 0;
  BusyFlag busy_;
  mutable Pool<Memory> pool_;
};

}  // namespace lstmfast::model
