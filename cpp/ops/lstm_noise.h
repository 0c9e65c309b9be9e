// The random masks of a training call. Knows how their random numbers are named, not what the masks
// multiply.
//
// Streams have the kinds listed in the .cpp file. Row and time name a mask's row; masks for the
// whole sequence have time 0.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// Once a call: the masks of rows and of weights, and the masked weights.
template <class T>
void draw_call_masks(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     LstmWorkspace<T>& w);

// For each chunk of steps: masks by step, and x times its mask.
template <class T>
void draw_chunk_masks(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// dblock += gradients of the panels, from dropped_gradient, that for the masked weights.
template <class T>
void add_dropped_gradient(const LstmShape<T>& shape, const LstmWorkspace<T>& w, T* dblock);

}  // namespace lstmfast::ops
