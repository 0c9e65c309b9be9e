// Backward through some steps of the chunk: dz of their rows, and the gradients of the state before
// them. Knows no gradients of parameters.
#pragma once

#include "ops/lstm_transposed.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

template <class T>
void through_time(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                  const LstmGradients<T>& gradients, const TransposedWeights<T>& transposed,
                  base::Range steps, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
