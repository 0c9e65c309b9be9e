// An LSTM layer over one input, in one direction or both, shared by the layers of graphs and by
// lf.LSTM. Knows no ports and no models.
#pragma once

#include <algorithm>

#include "layers/options.h"
#include "ops/lstm_threads.h"
#include "ops/lstm_trace.h"
#include "ops/lstm_workspace.h"
#include "ops/vector.h"

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
  void forward(LstmRun<T>* runs, bool training) const {
    for_each(runs, false, [=](const ops::LstmShape<T>& shape, index d) {
      LstmRun<T>& run = runs[d];
      ops::lstm_forward(shape, run.block, run.call, training, run.workspace);
    });
  }

  // traces [directions]; y, where it is not null, becomes h.
  void trace(LstmRun<T>* runs, const ops::LstmTrace<T>* traces) const {
    for_each(runs, false, [=](const ops::LstmShape<T>& shape, index d) {
      const ops::LstmCall<T>& call = runs[d].call;
      const ops::LstmTrace<T>& trace = traces[d];
      ops::lstm_trace(shape, runs[d].block, call, trace, runs[d].workspace);
      for (index b = 0; call.y != nullptr && b < call.batch; ++b) {
        for (index t = 0; t < call.steps; ++t) {
          std::copy_n(trace.h + b * trace.h_row + t * trace.h_step, shape.outputs(),
                      call.y + b * call.y_row + t * call.y_step);
        }
      }
    });
  }

  // Allocates all memory that backward needs, so that backward cannot fail for lack of memory after
  // some gradients were added.
  void plan_backward(LstmRun<T>* runs) const {
    for (index d = 0; d < 2 && directions_[d] != nullptr; ++d) {
      LstmRun<T>& run = runs[d];
      ops::plan_lstm_backward(directions_[d]->shape, run.call, run.gradients, run.workspace);
    }
  }

  // Requires a training forward of the same runs, with their gradients set. If dx is wanted, dx of
  // the first direction becomes the sum, and that of the second is scratch. x is contiguous.
  void backward(LstmRun<T>* runs) const {
    const bool both = directions_[1] != nullptr;
    if (both && !runs[0].workspace.backward_planned) plan_backward(runs);
    for_each(runs, true, [=](const ops::LstmShape<T>& shape, index d) {
      LstmRun<T>& run = runs[d];
      ops::lstm_backward(shape, run.block, run.call, run.gradients, run.workspace);
    });
    T* const dx = runs[0].gradients.dx;
    if (!both || dx == nullptr) return;
    // A separate sum, whether the directions ran at the same time or in turn: the same bits.
    const ops::LstmCall<T>& call = runs[0].call;
    ops::add(call.steps * call.batch * directions_[0]->shape.input, static_cast<const T*>(dx),
             runs[1].gradients.dx, dx);
  }

 private:
  // Calls f(shape, d) for all directions, which share no memory that they write.
  template <class F>
  void for_each(const LstmRun<T>* runs, bool backward, F f) const {
    const ops::LstmShape<T>& shape = directions_[0]->shape;
    if (directions_[1] == nullptr) return f(shape, index{0});
    const base::team::Request threads =
        ops::direction_threads(shape, runs->call.batch, runs->call.steps);
    base::team::parallel_for(threads, 2, 1, [&](index begin, index end) {
      // Backward begins with forward's last direction, whose caches are the warmest.
      for (index i = begin; i < end; ++i) {
        const index d = backward ? begin + end - 1 - i : i;
        f(directions_[d]->shape, d);
      }
    });
  }

  const LstmDirection<T>* directions_[2];
};

}  // namespace lstmfast::layers
