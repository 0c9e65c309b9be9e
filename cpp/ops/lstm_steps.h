// The steps of the recurrence, forward, over one chunk. Knows no initial states and no gradients.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// A step of these panels, with what is the same in all steps of all calls: the weights (the panels
// of the shape's block, or of a masked copy) and their layout.
template <class T>
kernels::StepForward<T> step_of(const LstmShape<T>& shape, const T* weights, base::Range panels) {
  kernels::StepForward<T> s{};
  s.panel0 = panels.begin;
  s.panel1 = panels.end;
  s.input = shape.input;
  s.hidden = shape.hidden;
  s.recurrent = shape.outputs();
  s.weights = weights;
  s.weight_panel_stride = shape.panel_stride();
  s.fetches = shape.exceeds_caches();
  s.row_panels = int(plan().row_panels);
  s.tail_panel = shape.tail_panel();
  s.tail = shape.tail;
  return s;
}

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
