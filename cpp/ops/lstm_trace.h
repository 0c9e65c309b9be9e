// One call of an LSTM layer with everything that happens inside. Knows no gradients.
#pragma once

#include "ops/lstm.h"

namespace lstmfast::ops {

// What the trace of a call fills: row b, step t of each at b * row + t * step, H values; of h (O
// values) at b * h_row + t * h_step. 0 where a step is not real.
template <class T>
struct LstmTrace {
  T *i, *f, *g, *o;  // activated; 1 where a gate is off
  T* c;
  index row, step;
  T* h;
  index h_row, h_step;
};

// An inference of `call`, whose y and cells are not read: h and c are those of lstm_forward, bit
// for bit.
template <class T>
void lstm_trace(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmTrace<T>& trace, LstmWorkspace<T>& workspace);

}  // namespace lstmfast::ops
