// The steps of the recurrence, forward, over one chunk. Knows no initial states and no gradients.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// Runs steps chunk_begin .. chunk_end of the workspace. The states before them are in h_at, h_in_at
// and c_before; y and cells of the call may be null.
template <class T>
void lstm_steps(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                LstmWorkspace<T>& w);

// Runs a chunk of a training call again to fill its caches.
template <class T>
void recompute_chunk(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     index chunk_begin, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
