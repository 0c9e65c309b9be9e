// The steps of the recurrence, backward, over one chunk: dz of all cache rows, and the gradients of
// the state before it. Knows no parameters' gradients.
#pragma once

#include "ops/lstm_transposed.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

template <class T>
void through_time(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                  const LstmGradients<T>& gradients, const TransposedWeights<T>& transposed,
                  LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
