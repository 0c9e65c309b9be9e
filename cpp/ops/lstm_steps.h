// The steps of the recurrence, forward, over one chunk. Knows no initial states and no gradients.
#pragma once

#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// How one call goes forward: what was decided from its shape.
struct LstmPlan {
  index ahead_rows;  // packed rows that x W runs ahead for; 0: x is folded into the step
  bool apart;        // of z that is reused: every step has room for all rows
};

// Runs steps chunk_begin .. chunk_end of the workspace. The states before them lie in h_at, h_in_at
// and c_before; y and cells of the call may be null.
template <class T>
void lstm_steps(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmPlan& plan, LstmWorkspace<T>& w);

}  // namespace lstmfast::ops
