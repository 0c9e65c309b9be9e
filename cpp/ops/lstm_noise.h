// The random masks of a training call. Knows how their numbers are named, not what they multiply.
//
// Kinds of streams, beside those of layers: row and time name a mask's row; masks for the whole
// sequence have time 0.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// Once a call: the masks of rows and weights, and the weights with theirs.
template <class T>
void draw_call_masks(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     LstmWorkspace<T>& w);

// For the steps that the caches are to hold: masks by step, and x times its mask.
template <class T>
void draw_chunk_masks(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w);

// dblock += gradients of the panels, where `dropped` is the gradient for the masked weights.
template <class T>
void add_dropped_gradient(const LstmShape<T>& shape, const LstmWorkspace<T>& w, T* dblock);

}  // namespace lstmfast::ops
