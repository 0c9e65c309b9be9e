#include <algorithm>

#include "base/cache_sizes.h"
#include "base/denormals.h"
#include "ops/lstm_noise.h"
#include "ops/lstm_states.h"
#include "ops/lstm_steps.h"

namespace lstmfast::ops {
namespace {

// x is projected ahead for up to this many rows: more rows of a step fill the tiles alone.
constexpr index kAheadBatch = 4;
constexpr index kAheadInput = 16;

template <class T>
index ahead_rows(const LstmShape<T>& shape, const LstmCall<T>& call) {
  if (!shape.options.layer_norm && (call.batch > kAheadBatch || shape.input < kAheadInput))
    return 0;
  const index row_bytes = shape.panels * shape.row_elements() * index(sizeof(T));
  const index part = base::cache_sizes().l2 / 4;  // of z
  const index steps = std::max<index>(1, part / (row_bytes * call.batch));
  return std::min(steps, call.steps) * call.batch;
}

template <class T>
LstmPlan plan_lstm(const LstmShape<T>& shape, const LstmCall<T>& call, bool training,
                   LstmWorkspace<T>& w) {
  w.rows.order(call);
  w.sharing = share_lstm(shape, call.batch, w.rows.steps, shape.flops() * double(w.rows.total));
  const LstmPlan plan{ahead_rows(shape, call),
                      !training && w.sharing.by_rows && w.sharing.threads > 1};
  w.plan(shape, call, training, plan.ahead_rows);
  return plan;
}

}  // namespace

template <class T>
void lstm_forward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call, bool training,
                  LstmWorkspace<T>& w) {
  const base::FlushDenormals flush;
  const LstmPlan plan = plan_lstm(shape, call, training, w);
  if (training) draw_call_masks(shape, block, call, w);
  load_states(shape, call, w);
  store_states(shape, call, w, 0, 0);
  while (w.chunk_begin < w.rows.steps) {
    if (training) save_chunk(shape, w);
    begin_chunk(shape, call, w);
    lstm_steps(shape, block, call, plan, w);
    store_states(shape, call, w, w.chunk_begin + 1, w.chunk_end);
    if (w.chunk_end == w.rows.steps) break;
    next_chunk(shape, w);
  }
  fill_padding(w.rows, call, shape.outputs(), shape.hidden);
  w.trained = training;
}

template <class T>
void recompute_chunk(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     index chunk_begin, LstmWorkspace<T>& w) {
  LstmCall<T> again = call;
  again.y = again.cells = nullptr;  // the forward call has written the same
  const LstmPlan plan{ahead_rows(shape, call), false};
  restore_chunk(shape, w, chunk_begin);
  begin_chunk(shape, call, w);
  lstm_steps(shape, block, again, plan, w);
}

#define LF_INSTANTIATE(T)                                                                 \
  template void lstm_forward(const LstmShape<T>&, const T*, const LstmCall<T>&, bool,     \
                             LstmWorkspace<T>&);                                          \
  template void recompute_chunk(const LstmShape<T>&, const T*, const LstmCall<T>&, index, \
                                LstmWorkspace<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
