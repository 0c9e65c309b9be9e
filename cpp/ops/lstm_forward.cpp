#include <algorithm>

#include "base/denormals.h"
#include "ops/lstm_noise.h"
#include "ops/lstm_states.h"
#include "ops/lstm_steps.h"

namespace lstmfast::ops {
namespace {

template <class T>
index ahead_rows(const LstmShape<T>& shape, const LstmCall<T>& call, bool training) {
  const bool always = shape.options.layer_norm || shape.two_phases() || shape.is_reduced();
  if (!always && (call.batch > plan().ahead_rows || shape.input < plan().ahead_inputs)) return 0;
  // From three rows on, W is read from L2 as fast as it is multiplied with.
  if (!always && !training && call.batch > 2 && shape.weight_bytes() <= plan().l2) return 0;
  const index row_bytes = shape.panels * shape.kept_elements() * index(sizeof(T));
  const index part = plan().l2 / 4;  // of z
  const index steps = std::max<index>(1, part / (row_bytes * call.batch));
  return std::min(steps, call.steps) * call.batch;
}

}  // namespace

template <class T>
void lstm_forward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call, bool training,
                  LstmWorkspace<T>& w) {
  const base::FlushDenormals flush;
  w.rows.order(call);
  w.sharing = share_lstm(shape, call.batch, w.rows.steps, shape.flops() * double(w.rows.total));
  w.plan(shape, call, training, ahead_rows(shape, call, training));
  const LstmStates<T> states{shape, call, w};
  if (training) LstmMasks<T>{shape, call, w}.draw(block);
  states.load();
  states.store(0, 0);
  while (w.chunk_begin < w.rows.steps) {
    if (training) states.save_chunk();
    states.begin_chunk();
    lstm_steps(shape, block, call, w);
    states.store(w.chunk_begin + 1, w.chunk_end);
    if (w.chunk_end == w.rows.steps) break;
    states.next_chunk();
  }
  w.rows.fill_padding(call, call.y, call.y_row, call.y_step, shape.outputs(), call.hold);
  w.rows.fill_padding(call, call.cells, call.cells_row, call.cells_step, shape.hidden, call.hold);
  w.trained = training;
}

template <class T>
void recompute_chunk(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     index chunk_begin, LstmWorkspace<T>& w) {
  LstmCall<T> again = call;
  again.y = again.cells = nullptr;  // the forward call has written the same
  const LstmStates<T> states{shape, call, w};
  states.restore_chunk(chunk_begin);
  states.begin_chunk();
  lstm_steps(shape, block, again, w);
}

template decltype(lstm_forward<float>) lstm_forward<float>;
template decltype(lstm_forward<double>) lstm_forward<double>;
template decltype(recompute_chunk<float>) recompute_chunk<float>;
template decltype(recompute_chunk<double>) recompute_chunk<double>;

}  // namespace lstmfast::ops
