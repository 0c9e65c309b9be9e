// Pooling of a batch on the thread team. Knows no layers.
#pragma once

#include "kernels/vector_args.h"

namespace lstmfast::ops {

// `one` describes one sample, with the arrays of the whole batch; its lines are not used.
template <class T>
void pool(const kernels::Pool<T>& one, index batch);
// din is overwritten.
template <class T>
void pool_backward(const kernels::PoolBackward<T>& one, index batch);

}  // namespace lstmfast::ops
