// One time step of an LSTM layer on the caller's thread, prepared once: what a step then costs is
// the kernel. Knows no sequences, no training and no streams.
#pragma once

#include "base/buffer.h"
#include "base/no_copy.h"
#include "kernels/lstm_args.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// The arrays of a step, [rows][...] each. The states are read and written; after the last row of
// each array but x there is room for a vector, whose content does not matter.
template <class T>
struct LstmStepArrays {
  const T* x;
  T* h;      // [rows][O]
  T* c;      // [rows][H]; null: the cell has none
  T* y;      // [rows][O]: h again; null: not wanted
  T* cells;  // [rows][H]: c again; null: not wanted
};

// All arrays and parameters must outlive this object.
template <class T>
class LstmStep : base::NoCopy {
 public:
  // Whether a step of such a cell is one kernel: without layer norm, projection, zoneout of h, and
  // a second phase.
  static bool fits(const LstmShape<T>& shape);

  // reduced: as in LstmCall.
  LstmStep(const LstmShape<T>& shape, const T* block, const unsigned char* reduced, index rows,
           const LstmStepArrays<T>& arrays);

  // The same bits as lstm_forward of one step.
  void run();

 private:
  void move_c(bool in) const;

  const LstmShape<T>& shape_;
  const index rows_;
  const LstmStepArrays<T> arrays_;
  kernels::StepForward<T> step_{};
  void (*kernel_)(const kernels::StepForward<T>&) = nullptr;  // null: run_step() makes sums first
  T clip_values_[4] = {};
  base::Buffer<index> offsets_;  // of the rows of x, y and cells
  base::Buffer<T> made_h_;       // [rows][padded O]; empty: h can be written where it is read
  base::Buffer<T> z_;            // [P][rows][kept]: sums, in reduced precision
  base::Buffer<unsigned char> scratch_;
  base::Buffer<T> c_;      // [P][rows][V]; empty: c is used where it lies
  T* c_panels_ = nullptr;  // in c_; null: c is used where it lies
};

}  // namespace lstmfast::ops
