#include "layers/lstm_directions.h"

#include <algorithm>

#include "ops/lstm_threads.h"
#include "ops/vector.h"

namespace lstmfast::layers {

template <class T>
template <class F>
void LstmDirections<T>::for_each(const LstmRun<T>* runs, bool backward, F f) const {
  if (directions_[1] == nullptr) return f(0);
  const base::team::Request threads =
      ops::direction_threads(directions_[0]->shape, runs->call.batch, runs->call.steps);
  base::team::parallel_for(threads, 2, 1, [&](index begin, index end) {
    // Backward begins with forward's last direction, whose caches are the warmest.
    for (index i = begin; i < end; ++i) f(backward ? begin + end - 1 - i : i);
  });
}

template <class T>
void LstmDirections<T>::forward(LstmRun<T>* runs, bool training) const {
  for_each(runs, false, [&](index d) {
    LstmRun<T>& run = runs[d];
    ops::lstm_forward(directions_[d]->shape, run.block, run.call, training, run.workspace);
  });
}

template <class T>
void LstmDirections<T>::trace(LstmRun<T>* runs, const ops::LstmTrace<T>* traces) const {
  for_each(runs, false, [&](index d) {
    LstmRun<T>& run = runs[d];
    const ops::LstmCall<T>& call = run.call;
    const ops::LstmTrace<T>& trace = traces[d];
    ops::lstm_trace(directions_[d]->shape, run.block, call, trace, run.workspace);
    for (index b = 0; call.y != nullptr && b < call.batch; ++b) {
      for (index t = 0; t < call.steps; ++t) {
        std::copy_n(trace.h + b * trace.h_row + t * trace.h_step, directions_[d]->shape.outputs(),
                    call.y + b * call.y_row + t * call.y_step);
      }
    }
  });
}

template <class T>
void LstmDirections<T>::plan_backward(LstmRun<T>* runs) const {
  for (index d = 0; d < 2 && directions_[d] != nullptr; ++d) {
    LstmRun<T>& run = runs[d];
    ops::plan_lstm_backward(directions_[d]->shape, run.call, run.gradients, run.workspace);
  }
}

template <class T>
void LstmDirections<T>::backward(LstmRun<T>* runs) const {
  const bool both = directions_[1] != nullptr;
  if (both && !runs[0].workspace.backward_planned) plan_backward(runs);
  for_each(runs, true, [&](index d) {
    LstmRun<T>& run = runs[d];
    ops::lstm_backward(directions_[d]->shape, run.block, run.call, run.gradients, run.workspace);
  });
  T* const dx = runs[0].gradients.dx;
  if (!both || dx == nullptr) return;
  // A separate sum, whether the directions ran at the same time or in turn: the same bits.
  const ops::LstmCall<T>& call = runs[0].call;
  ops::add(call.steps * call.batch * directions_[0]->shape.input, static_cast<const T*>(dx),
           runs[1].gradients.dx, dx);
}

template class LstmDirections<float>;
template class LstmDirections<double>;

}  // namespace lstmfast::layers
