// One call of an LSTM layer with the gates and states of every step. Knows no gradients.
#pragma once

#include "ops/lstm.h"

namespace lstmfast::ops {

// Where the trace of a call is written: row b, step t of each gate and of c at b * row + t * step
// (H values), of h at b * h_row + t * h_step (O values). 0 where a step is not real.
template <class T>
struct LstmTrace {
  T *i, *f, *g, *o;  // activated; 1 where a gate is off
  T* c;
  index row, step;
  T* h;
  index h_row, h_step;
};

// Runs `call` as inference, without its y and cells: h and c have the bits of lstm_forward's.
template <class T>
void lstm_trace(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmTrace<T>& trace, LstmWorkspace<T>& workspace);

}  // namespace lstmfast::ops
