// Gradients of an LSTM's parameters from dz of some steps of the chunk. Knows nothing of the time
// loop.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// d.dblock += gradients of the panels; dblock (the same block, unless d.dblock is that of masked
// weights) += those of the peepholes and the projection. Fills c_prev_offsets of the workspace.
template <class T>
void add_parameter_gradients(const LstmShape<T>& shape, const LstmCall<T>& call,
                             const LstmGradients<T>& d, T* dblock, base::Range steps,
                             LstmWorkspace<T>& workspace, base::team::Request threads);

// dblock += gradients of layer norm, which all chunks have summed by slot.
template <class T>
void add_norm_gradients(const LstmShape<T>& shape, const LstmWorkspace<T>& workspace, T* dblock);

}  // namespace lstmfast::ops
