// Memory and row order of one running LSTM call. Knows where everything lies, not what is computed.
//
// Rows of a batch take slots by falling length, so that the rows still active at a step are slots 0
// .. active. A "packed row" counts (step, slot) pairs in that order: step t starts at packed row
// first_row[t].
#pragma once

#include "base/arena.h"
#include "kernels/table.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

template <class T>
class LstmWorkspace {
 public:
  // Lays out a forward call: orders the rows, carves the memory. Keeps nothing of an earlier call.
  // ahead_rows: packed rows that are projected ahead at a time in inference (0: none); training
  // projects into the gates' cache.
  void plan(const LstmShape<T>& shape, const LstmCall<T>& call, bool training, index ahead_rows);
  // Adds what backward needs; the caches of plan() stay. packed: elements of the packed columns of
  // all threads.
  void plan_backward(const LstmShape<T>& shape, index transposed, index packed, int threads);

  bool trained = false;  // a training forward has filled the caches

  index steps, batch;
  index total;         // packed rows: real tokens
  index* slot_row;     // [B] batch row of a slot
  index* slot_length;  // [B]
  index* active;       // [T] rows at a step
  index* first_row;    // [T + 1] packed row of slot 0
  index* x_offsets;    // [B] a slot's x at step 0, in elements
  index* y_offsets;
  index* x_row_offsets;      // [total] x of a packed row
  unsigned char* reset;      // [T][B] by slot; null without resets
  unsigned char* any_reset;  // [T]

  // h of two neighbouring steps, as the GEMM reads it: [2][B][h_stride]; lanes beyond H are
  // written, never read.
  T* h;
  index h_stride;
  T* h0;  // [B][h_stride] by slot, in training with initial states; else null
  bool has_c0;
  // [P][rows][V]: in inference B rows, updated in place; in training B rows of c0, then the packed
  // rows.
  T* c;
  index c_panel_stride;
  // [P][rows][G][V]. Training: activated gates of the packed rows (z, with layer norm), dz after
  // backward. Inference: z of the rows that are projected ahead; null if none are.
  T* gates;
  index gate_panel_stride;
  T* stats;  // [packed rows, or B in inference][2 G + 2], layer norm

  T* dh;  // [B][h_stride]
  T* dc;  // [P][B][V]
  index dc_panel_stride;
  T* dnorm;               // [B][P][2 G + 2][V] gradients of gains and shifts by slot
  T* norm_scratch;        // [threads][P][G + 1][V]
  T* transposed;          // panels of R transposed, then of W transposed
  T* packed_columns;      // of A, for the weight gradient
  index* c_prev_offsets;  // [total] c before a packed row, for peepholes; -1: 0

  // Which slots are cleared before step t; null: none.
  const unsigned char* reset_at(index t) const {
    return reset && any_reset[t] ? reset + t * batch : nullptr;
  }
  // c before step t, rows by slot: packed row of slot 0 in the training cache.
  index c_row(index t) const { return t == 0 ? 0 : batch + first_row[t - 1]; }

 private:
  base::Arena forward_, backward_;
};

// The parameters beyond W, R and b, as kernels take them.
template <class T>
kernels::CellParams<T> cell_params(const LstmShape<T>& shape, const T* block) {
  const CellOptions& o = shape.options;
  return {o, o.peephole ? block + shape.peephole_offset() : nullptr,
          o.layer_norm ? block + shape.norm_z_offset() : nullptr,
          o.layer_norm ? block + shape.norm_c_offset() : nullptr};
}

}  // namespace lstmfast::ops
