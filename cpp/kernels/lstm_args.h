// The contracts of the LSTM's kernels: one time step, forward and backward. Letters and layouts as
// in args.h; O is the size of h: H units, or P outputs of a projection.
#pragma once

#include "kernels/args.h"

namespace lstmfast::kernels {

// The parameters of a cell beyond W, R and b, in panel layout; null where the option is off.
template <class T>
struct CellParams {
  const CellOptions* options;
  bool plain;         // is_plain(*options)
  const T* peephole;  // [P][G - 1][V]: i, f, o; coupled f, o
  const T* norm_z;    // [P][2 G][V]: G gains, then G shifts
  const T* norm_c;    // [P][2][V]: gain, shift
  // [2][2] with preact_clip: values of recurrent_activation, then of activation, at - and + the
  // clip
  const T* clip_values;
};

// Zoneout of one step: m = 1 where the old value stays, 0 where the new one comes in, or the rate.
// Without a mask every m is options' rate.
template <class T>
struct Keep {
  const T* mask;  // row r at mask + r * stride, as wide as the padded row it applies to; or null
  index stride;
};

// The panels, but for a tail, of which a step of one row makes all sums before it writes h.
inline constexpr index kTogether = 2;

// One time step forward for rows row0..row1 and panels panel0..panel1: GEMM tile and cell fused.
template <class T>
struct StepForward {
  index row0, row1, panel0, panel1;
  bool descending;                 // from the last panel to the first, as in Gemm
  int phase;                       // of a cell whose step has two
  index input, hidden, recurrent;  // I; H, or more where y and cells have room; O: rows of R
  const T* weights;                // [P][1 + I + O][G][V]: bias row, W rows, R rows; see tail
  index weight_panel_stride;
  // Whether weights come from memory: the last tiles of a panel then prefetch the next one.
  bool fetches;
  int row_panels;    // of one row at a time, where registers hold so many sums: 2 or 4
  index tail_panel;  // the last panel where it is a tail, else -1
  Tail tail;
  const T* x;  // row r at x + x_offsets[r]; null: z_in holds b + x W already
  const index* x_offsets;
  // [P][row][G][V], a tail in the layout of its weights; may be `gates`; null with x
  const T* z_in;
  index z_panel_stride;
  // In reduced precision products are made before the kernel runs (ops/lstm_products.h), and
  // weights are the biases alone; for the kernel null: z_in holds all sums of the cell.
  Reduced of_input, of_recurrent;
  T* z;             // where they are made, z_in then
  const T* h_prev;  // [row][h_stride]: O values; null: h_prev = 0 and R is skipped
  index h_prev_stride;
  const T* c_prev;  // [P][row][V], panels c_prev_panel_stride apart; null: 0
  index c_prev_panel_stride;
  const unsigned char* reset;  // [row] 1: c_prev of the row counts as 0; null: none
  Keep<T> keep_c;
  T* c;  // [P][row][V]; may be c_prev
  index c_panel_stride;
  T* gates;  // out: what backward needs of the gates [P][row][G][V]; null in inference
  index gate_panel_stride;
  T* h;  // [row][h_stride]: o a(c); padded lanes are written. h_prev of one row with at most
         // kTogether whole panels or whose sums are given; else not
  index h_stride;
  T* y;  // row r at y + y_offsets[r], H values: h again; null: not wanted
  const index* y_offsets;
  T* cells;  // row r at cells + cells_offsets[r], H values: c again; null: not wanted
  const index* cells_offsets;
  CellParams<T> cell;
};

// Asks which function step_forward() comes to for steps like this one, of the same panels and
// options, and of one row where this one has one: a step of a small model is called without the way
// there.
template <class T>
struct StepFunction {
  const StepForward<T>* step;
  void (**function)(const StepForward<T>&);
};

// One time step of the cell's backward for rows and panels: dz over the gates, dc for the step
// before.
template <class T>
struct StepBackward {
  index row0, row1, panel0, panel1;
  int phase;  // of a cell whose step has two, which go backward
  index hidden;
  T* gates;  // in: as StepForward left them; out: dz. [P][row][G][V]
  index gate_panel_stride;
  const T* c;       // [P][row][V] this step's c
  const T* c_prev;  // [P][row][V]; null: 0
  index c_panel_stride;
  const unsigned char* reset;  // [row] 1: c_prev counts as 0 and dc becomes 0; null: none
  Keep<T> keep_c;
  const T* dy;  // row r at dy + dy_offsets[r], H values; null: 0
  const index* dy_offsets;
  const T* dcells;  // gradient for `cells`; null: 0
  const index* dcells_offsets;
  const T* dh;  // [row][dh_stride], padded; null: 0
  index dh_stride;
  Keep<T> recurrent;  // the mask of the h that the gates read, where a phase needs it; or null
  T* dc;              // in: dL/dc of this step from the next; out: of the step before. [P][row][V]
  index dc_panel_stride;
  // Whether the caches are larger than L2: then what is read next of them is prefetched, the next
  // panel or the first panel of the step before, whose `rows_before` rows lie right before this
  // step's.
  bool fetches;
  index rows_before;
  CellParams<T> cell;
};

// Layer-normalised cell, whole rows: z (from Gemm) to gates, c and h. In training z stays for
// backward, with the statistics; z_o then includes its peephole. Fields as in StepForward.
template <class T>
struct NormForward {
  index row0, row1;
  index hidden, panels;
  T* z;  // [P][row][G][V]; peephole terms are added in place
  index z_panel_stride;
  const T* c_prev;
  index c_prev_panel_stride;
  const unsigned char* reset;
  Keep<T> keep_c;
  T* c;
  index c_panel_stride;
  T* stats;  // [row][2 G + 2]: means of each gate's z and of c, then their 1/sd
  T* h;
  index h_stride;
  T* y;
  const index* y_offsets;
  T* cells;
  const index* cells_offsets;
  T* scratch;  // [G + 1][P][V], of the calling thread
  CellParams<T> cell;
};

template <class T>
struct NormBackward {
  index row0, row1;
  index hidden, panels;
  T* z;  // in: z of NormForward; out: dz
  index z_panel_stride;
  const T* c;
  const T* c_prev;
  index c_panel_stride;
  const unsigned char* reset;
  Keep<T> keep_c;
  const T* stats;
  const T* dy;
  const index* dy_offsets;
  const T* dcells;
  const index* dcells_offsets;
  const T* dh;
  index dh_stride;
  T* dc;
  index dc_panel_stride;
  T* dnorm;  // [row][P][2 G + 2][V]: += gradients of gains and shifts (z, then c), a row each
  index dnorm_row_stride;
  T* scratch;  // [3 (G + 1)][P][V], of the calling thread
  CellParams<T> cell;
};

// The gates i, f, g, o of rows row0..row1 as the cell used them, from what training keeps of them:
// a gate that is off is 1, a coupled i is 1 - f.
template <class T>
struct ReadGates {
  index row0, row1;
  index hidden, panels;
  const T* gates;  // as StepForward left its gates, or NormForward its z: [P][row][G][V]
  index gate_panel_stride;
  const T* stats;  // of NormForward; null without layer norm
  T* out[4];       // gate k of a row at out[k] + offsets[row], H values
  const index* offsets;
  CellParams<T> cell;
};

// The pass after the cell where h is more than o a(c): v is that, or its projection.
//   h = m h_prev + (1 - m) clip(v),   h_in = recurrent mask * h
template <class T>
struct HiddenForward {
  index row0, row1, unit0, unit1;  // unit0 at a vector's start
  double clip, rate;               // 0: none; of zoneout
  const T* v;                      // [row][stride]; may be h
  index v_stride;
  const T* h_prev;  // [row][h_stride]; null: 0
  Keep<T> keep;
  Keep<T> recurrent;  // of the rows below recurrent_rows; a null mask: h_in is not wanted
  index recurrent_rows;
  T* h;  // [row][h_stride]
  index h_stride;
  T* h_in;  // [row][h_in_stride]: what the next step's product reads
  index h_in_stride;
  T* y;  // row r at y + y_offsets[r]; null: not wanted
  const index* y_offsets;
};

// dh = dh_in + dh_carry + dy;  dv = (1 - m) dh inside the clip, else 0;  dh_carry of the step
// before = m dh.
template <class T>
struct HiddenBackward {
  index row0, row1, unit0, unit1;
  double clip, rate;
  const T* dh_in;  // [row][stride] through the next step's product
  T* dh_carry;     // [row][stride] in, out
  index stride;
  const unsigned char* reset;  // [row] 1: h_prev counts as 0; null: none
  const T* dy;                 // null: 0
  const index* dy_offsets;
  const T* v;  // as HiddenForward had it, for the clip; clipped, or h where no mixing followed
  const index* v_offsets;  // null: rows v_stride apart
  index v_stride;
  Keep<T> keep;
  T* dv;  // [row][dv_stride]; may be dh_in
  index dv_stride;
};

}  // namespace lstmfast::kernels
