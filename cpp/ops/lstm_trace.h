// One call of an LSTM layer with the gates and states of every step. Knows no gradients.
#pragma once

#include "ops/lstm.h"

namespace lstmfast::ops {

// Where the trace of a call is written: row b, step t of each array at place b * row + t * step of
// its places [B T], with H values each, h with O. 0 where a step is not real.
template <class T>
struct LstmTrace {
  T* gates[4];  // i, f, g, o, activated; 1 where a gate is off
  T *c, *h;
  index row, step;
};

// Runs `call` as inference, without its y and cells: h and c have the bits of lstm_forward's.
template <class T>
void lstm_trace(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmTrace<T>& trace, LstmWorkspace<T>& workspace);

}  // namespace lstmfast::ops
