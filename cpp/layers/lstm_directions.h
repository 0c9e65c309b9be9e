// An LSTM layer over one input, in one direction or both, shared by the layers of graphs and by
// lf.LSTM. Knows no ports and no models.
#pragma once

#include "layers/options.h"
#include "ops/lstm_trace.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::layers {

// The part of one direction that all calls share.
template <class T>
struct LstmDirection {
  ops::LstmShape<T> shape;
  LstmOptions options;
  bool reverse = false;  // from the last step to the first
};

// One direction of a running call: the fields that the caller sets, and the call's memory. Backward
// needs both unchanged since forward.
template <class T>
struct LstmRun {
  const T* block = nullptr;  // the parameters
  ops::LstmCall<T> call{};
  ops::LstmGradients<T> gradients{};  // of backward
  ops::LstmWorkspace<T> workspace;
};

template <class T>
class LstmDirections {
 public:
  // Both must outlive this object; second null: there is one direction.
  explicit LstmDirections(const LstmDirection<T>& first, const LstmDirection<T>* second = nullptr)
      : directions_{&first, second} {}

  // Sets the call of direction d to `common` with the direction's own options. The caller then sets
  // what differs between directions: arrays and the stream of random numbers.
  ops::LstmCall<T>& begin(index d, const ops::LstmCall<T>& common, LstmRun<T>& run) const {
    const LstmDirection<T>& direction = *directions_[d];
    ops::LstmCall<T>& call = run.call;
    call = common;
    call.reverse = direction.reverse;
    call.noise = direction.options.noise;
    call.noise.draw = common.noise.draw;
    call.noise.seed = common.noise.seed;
    call.noise.stream = common.noise.stream;
    call.noise.step = common.noise.step;
    call.bptt_steps = direction.options.bptt_steps;
    call.recompute_every = direction.options.recompute_every;
    return call;
  }

  // `runs` has one for each direction, with its block and call set.
  void forward(LstmRun<T>* runs, bool training) const;
  // traces [directions]; y, where it is not null, becomes h.
  void trace(LstmRun<T>* runs, const ops::LstmTrace<T>* traces) const;

  // Allocates all memory that backward needs, so that backward cannot fail for lack of memory after
  // some gradients were added.
  void plan_backward(LstmRun<T>* runs) const;
  // Requires a training forward of the same runs, with their gradients set. If dx is wanted, dx of
  // the first direction becomes the sum, and that of the second is scratch. x is contiguous.
  void backward(LstmRun<T>* runs) const;

 private:
  // Calls f(d) for all directions, which share no memory that they write.
  template <class F>
  void for_each(const LstmRun<T>* runs, bool backward, F f) const;

  const LstmDirection<T>* directions_[2];
};

}  // namespace lstmfast::layers
