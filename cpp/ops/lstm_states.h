// The states of a running call: read from the caller, written to it, and passed between chunks.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// Before step 0: copies h0 and c0 into the workspace, by slot.
template <class T>
void load_states(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// Writes h_n and c_n of the rows with first .. last real steps; a row without real steps keeps its
// initial state.
template <class T>
void store_states(const LstmShape<T>& shape, const LstmCall<T>& call, const LstmWorkspace<T>& w,
                  index first, index last);

// Draws the chunk's masks and makes the h that its first product reads; the states before the chunk
// are in h_at and c_before.
template <class T>
void begin_chunk(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// Saves the states before the chunk for recomputation.
template <class T>
void save_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w);

// Makes the states after a chunk those before the next.
template <class T>
void next_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w);

// Restores the saved states before an earlier chunk.
template <class T>
void restore_chunk(const LstmShape<T>& shape, LstmWorkspace<T>& w, index chunk_begin);

// Runs a chunk of a training call again to fill its caches.
template <class T>
void recompute_chunk(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     index chunk_begin, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
