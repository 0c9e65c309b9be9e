// The states of a running call: in from the caller, out to it, and over the seams between chunks.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// Before step 0: h0 and c0 into the workspace, by slot.
template <class T>
void load_states(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// h_n and c_n of the rows with first .. last real steps; a row without any keeps its initial state.
template <class T>
void store_states(const LstmShape<T>& shape, const LstmCall<T>& call, const LstmWorkspace<T>& w,
                  index first, index last);

// The states before a chunk lie in h_at and c_before: draws the chunk's masks, makes what the first
// product reads.
template <class T>
void begin_chunk(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// Keeps them for recomputation.
template <class T>
void save_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w);

// From the end of a chunk to the beginning of the next.
template <class T>
void next_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w);

// Back to the beginning of an earlier chunk.
template <class T>
void restore_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w, index chunk_begin);

// Runs a chunk of a training call again, for its caches.
template <class T>
void recompute_chunk(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     index chunk_begin, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
