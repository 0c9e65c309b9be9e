// The states of a running call: read from the caller, written to it, and passed between chunks.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

template <class T>
struct LstmStates {
  const LstmShape<T>& shape;
  const LstmCall<T>& call;
  LstmWorkspace<T>& w;

  // Before step 0: copies h0 and c0 into the workspace, by slot.
  void load() const;
  // Writes h_n and c_n of the rows with first .. last real steps; a row without real steps keeps
  // its initial state.
  void store(index first, index last) const;

  // Draws the chunk's masks and makes the h that its first product reads; the states before the
  // chunk are in h_at and c_before.
  void begin_chunk() const;
  // Saves the states before the chunk for recomputation.
  void save_chunk() const;
  // Makes the states after a chunk those before the next.
  void next_chunk() const;
  // Restores the saved states before an earlier chunk.
  void restore_chunk(index begin) const;

 private:
  void set_chunk(index begin) const;
};

}  // namespace lstmfast::ops
