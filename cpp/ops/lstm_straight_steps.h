// Steps of a call in which every step has all rows and is the fused kernel alone: each is placed
// from the one before it, for small layers notice the rest. Knows no layer norm and no projection.
#pragma once

#include "base/interrupt.h"
#include "ops/lstm_step.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

template <class T>
bool has_straight_steps(const LstmShape<T>& shape, const LstmWorkspace<T>& w) {
  return LstmStep<T>::fits(shape) && !shape.is_reduced() && w.recurrent_mask == nullptr &&
         !w.rows.padded && w.rows.resets == nullptr;
}

// From the step before to step k.
template <class T>
void advance(const LstmShape<T>& shape, const LstmWorkspace<T>& w, index k,
             kernels::StepForward<T>& s) {
  const index B = w.rows.batch, kept = B * shape.kept_elements();
  s.h_prev = s.h;
  s.h = w.h_at(k + 1);
  s.c_prev = s.c;
  if (w.training && s.c != nullptr) s.c += B * shape.lanes;
  if (w.training) s.gates += kept;
  if (s.keep_c.mask != nullptr) s.keep_c.mask += B * w.u_stride;
  s.y_offsets += B;
  if (s.cells != nullptr) s.cells_offsets += B;
  if (w.ahead_rows) {
    s.z_in = s.z += kept;
  } else if (w.x != nullptr) {
    s.x += B * shape.input;
  } else {
    s.x_offsets += B;
  }
}

// Runs steps k0 .. k1; s is placed for the first. False where another thread has thrown.
template <class T>
bool run_straight(const LstmShape<T>& shape, const LstmWorkspace<T>& w, const LstmShare& share,
                  index k0, index k1, base::InterruptPoint& point, kernels::StepForward<T>& s) {
  const double row_flops = shape.flops();
  const index turns = plan().turns;
  void (*run)(const kernels::StepForward<T>&);
  kernels::table<T>().step_function({&s, &run});
  for (index k = k0;; advance(shape, w, k, s)) {
    s.descending = turns & k;
    point.in_blocks(share.rows, row_flops, [&](base::Range part) {
      s.row0 = part.begin;
      s.row1 = part.end;
      run(s);
    });
    if (!share.arrive_and_wait()) return false;
    if (++k == k1) return true;
  }
}

}  // namespace lstmfast::ops
