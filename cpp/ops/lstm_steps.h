// The steps of the recurrence, forward, over one chunk. Knows no initial states and no gradients.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// How a forward call runs, as decided from its shape.
struct LstmPlan {
  index ahead_rows;   // packed rows for which x W is computed ahead; 0: the step computes it
  bool padded_steps;  // z that is computed ahead has room for all rows at every step
};

// Runs steps chunk_begin .. chunk_end of the workspace. The states before them are in h_at, h_in_at
// and c_before; y and cells of the call may be null.
template <class T>
void lstm_steps(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmPlan& plan, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
