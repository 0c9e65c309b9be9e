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

// One direction of a running call: what the caller sets, and the call's memory. Backward needs both
// unchanged since forward.
template <class T>
struct LstmRun {
  const LstmDirection<T>* direction = nullptr;
  const T* block = nullptr;  // the parameters
  ops::LstmCall<T> call{};
  ops::LstmGradients<T> gradients{};  // of backward
  ops::LstmWorkspace<T> workspace;

  // Sets the direction, and the call to `common` with the direction's own options. The caller then
  // sets what differs between directions: arrays and the stream of random numbers.
  ops::LstmCall<T>& begin(const LstmDirection<T>& of, const ops::LstmCall<T>& common) {
    direction = &of;
    call = common;
    call.reverse = of.reverse;
    call.noise.input = of.options.noise.input;
    call.noise.recurrent = of.options.noise.recurrent;
    call.noise.recurrent_per_step = of.options.noise.recurrent_per_step;
    call.noise.weight = of.options.noise.weight;
    call.bptt_steps = of.options.bptt_steps;
    call.recompute_every = of.options.recompute_every;
    return call;
  }
};

// A layer's one direction, or both, in a running call, with block and call of each set.
template <class T>
class LstmRuns {
 public:
  explicit LstmRuns(LstmRun<T>& first, LstmRun<T>* second = nullptr) : runs_{&first, second} {}

  void forward(bool training) const {
    for_each(false, [=](LstmRun<T>& run, index) {
      ops::lstm_forward(run.direction->shape, run.block, run.call, training, run.workspace);
    });
  }

  // traces [directions]; y, where it is not null, becomes h.
  void trace(const ops::LstmTrace<T>* traces) const {
    for_each(false, [=](LstmRun<T>& run, index d) {
      const ops::LstmCall<T>& call = run.call;
      const ops::LstmTrace<T>& trace = traces[d];
      ops::lstm_trace(run.direction->shape, run.block, call, trace, run.workspace);
      for (index b = 0; call.y != nullptr && b < call.batch; ++b) {
        for (index t = 0; t < call.steps; ++t) {
          const index O = run.direction->shape.outputs();
          std::copy_n(trace.h + (b * trace.row + t * trace.step) * O, O,
                      call.y + b * call.y_row + t * call.y_step);
        }
      }
    });
  }

  // Allocates all memory that backward needs, so that backward cannot fail for lack of memory after
  // some gradients were added.
  void plan_backward() const {
    for (LstmRun<T>* const run : runs_) {
      if (run == nullptr) continue;
      ops::plan_lstm_backward(run->direction->shape, run->call, run->gradients, run->workspace);
    }
  }

  // Requires a training forward of the same runs, with their gradients set. If dx is wanted, dx of
  // the first direction becomes the sum, and that of the second is scratch. x is contiguous.
  void backward() const {
    const bool both = runs_[1] != nullptr;
    if (both && !runs_[0]->workspace.backward_planned) plan_backward();
    for_each(true, [](LstmRun<T>& run, index) {
      ops::lstm_backward(run.direction->shape, run.block, run.call, run.gradients, run.workspace);
    });
    T* const dx = runs_[0]->gradients.dx;
    if (!both || dx == nullptr) return;
    // A separate sum, whether the directions ran at the same time or in turn: the same bits.
    const ops::LstmCall<T>& call = runs_[0]->call;
    ops::add(call.steps * call.batch * runs_[0]->direction->shape.input, static_cast<const T*>(dx),
             runs_[1]->gradients.dx, dx);
  }

 private:
  // Calls f(run, d) for all directions, which share no memory that they write.
  template <class F>
  void for_each(bool backward, F f) const {
    LstmRun<T>& first = *runs_[0];
    if (runs_[1] == nullptr) return f(first, index{0});
    const base::team::Request threads =
        ops::direction_threads(first.direction->shape, first.call.batch, first.call.steps);
    base::team::parallel_for(threads, 2, 1, [&](index begin, index end) {
      // Backward begins with forward's last direction, whose caches are the warmest.
      for (index i = begin; i < end; ++i) {
        const index d = backward ? begin + end - 1 - i : i;
        f(*runs_[d], d);
      }
    });
  }

  LstmRun<T>* runs_[2];  // second null: there is one direction
};

}  // namespace lstmfast::layers
