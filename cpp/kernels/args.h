// The contracts of the kernels: plain argument structs, one a kernel. Knows nothing of threads or
// memory.
//
// Letters: T element type, B rows, I input, H hidden, G gates, V lanes of one vector, P = ceil(H /
// V) panels. "Panel" layout: hidden units go V at a time; [panel][k][G][V] puts the gates of V
// units side by side for each k. A general matrix uses the same layout with NR vectors in place of
// G gates.
#pragma once

#include "base/plain.h"

namespace lstmfast::kernels {

// C[m][n] = init + sum over k of A[m][k] * B[k][n], k ascending, one fused multiply-add a term.
template <class T>
struct Gemm {
  index row0, row1;      // rows m of this call
  index panel0, panel1;  // panels of nr * V columns of this call
  int nr;                // vectors a panel: 1 to 4
  // A: row m starts at a + (a_offsets ? a_offsets[m] : m * a_stride); its k axis is `segments` runs
  // of `segment` consecutive elements, `segment_stride` apart (one run for an ordinary matrix).
  const T* a;
  const index* a_offsets;
  index a_stride;
  index segments, segment, segment_stride;
  const T* b;  // [panel][k][nr][V], panels b_panel_stride apart
  index b_panel_stride;
  const T* bias;  // [panel][nr][V], panels bias_panel_stride apart; null: start from 0
  index bias_panel_stride;
  bool accumulate;  // start from C instead of the bias
  // C: row m of panel p starts at c + p * c_panel_stride + (c_offsets ? c_offsets[m] : m *
  // c_stride).
  T* c;
  const index* c_offsets;
  index c_stride, c_panel_stride;
  index columns;  // valid columns in all; the last panel is stored (and read) up to here only
};

// Turns rows of A into tiles of `mr` columns, [tile][row][mr], so that Outer can broadcast from one
// stream. One call places k columns of one source at columns first .. first + k of the packed
// matrix; several calls fill it.
template <class T>
struct PackColumns {
  index rows;
  index first, k;  // `first` counts from the packed matrix's own column 0
  int mr;
  const T* const* source;  // [rows]: k elements each; null: a row of zeros
  T* out;                  // [tile][rows][mr]
};

// C[k][n] += sum over rows of A[row][k] * B[row][n], rows ascending. The gradient of a packed
// weight panel.
template <class T>
struct Outer {
  index rows;
  index tile0, tile1;  // k tiles of this call
  index panel0, panel1;
  int nr, mr;
  index k;     // valid k in all
  const T* a;  // from PackColumns, [k tile][rows][mr]
  const T* b;  // row r of panel p at b + p * b_panel_stride + r * b_row_stride: [nr][V]
  index b_panel_stride, b_row_stride;
  T* c;  // row k of panel p at c + p * c_panel_stride + k * nr * V
  index c_panel_stride;
};

// Column sums over rows, V lanes: out[v] += sum over rows of a[row][v] * b[row][v] (b null: of
// a[row][v]), rows ascending.
template <class T>
struct ReduceRows {
  index rows;
  const T* a;
  index a_stride;
  // Row r at b + (b_offsets ? b_offsets[r] : r * b_stride); a negative offset adds nothing.
  const T* b;
  const index* b_offsets;
  index b_stride;
  T* out;  // [V]
};

// Panels of the transpose: from w [panel][k][G][V] rows k0 .. k0 + k of each panel, to
// out [q][panel * G * V][nr][V]: output column n = k0 + q * nr * V + ..., padded with zeros.
template <class T>
struct TransposePanels {
  index panels;  // of w
  int gates;     // G of w (nr for a general matrix)
  const T* w;
  index w_panel_stride;
  index k;       // rows of each panel to turn into columns
  int nr;        // vectors an output panel
  index q0, q1;  // output panels of this call
  T* out;
  index out_panel_stride;  // = panels * G * V * nr * V
};

// The parameters of a cell beyond W, R and b, in panel layout; null where the option is off.
template <class T>
struct CellParams {
  CellOptions options;
  const T* peephole;  // [P][G - 1][V]: i, f, o; coupled f, o
  const T* norm_z;    // [P][2 G][V]: G gains, then G shifts
  const T* norm_c;    // [P][2][V]: gain, shift
};

// One time step forward for rows row0..row1 and panels panel0..panel1: GEMM tile and cell in one
// go.
template <class T>
struct StepForward {
  index row0, row1, panel0, panel1;
  index input, hidden;  // I, H
  const T* weights;     // [P][1 + I + H][G][V]: bias row, W rows, R rows
  index weight_panel_stride;
  const T* x;  // row r at x + x_offsets[r]; null: z_in holds b + x W already
  const index* x_offsets;
  const T* z_in;  // [P][row][G][V]; may be `gates`; null with x
  index z_panel_stride;
  const T* h_prev;  // [row][h_stride]; null: h_prev = 0 and R is skipped
  index h_stride;
  const T* c_prev;  // [P][row][V], panels c_prev_panel_stride apart; null: 0
  index c_prev_panel_stride;
  const unsigned char* reset;  // [row] 1: c_prev of the row counts as 0; null: none
  T* c;                        // [P][row][V]; may be c_prev
  index c_panel_stride;
  T* gates;  // out: activated gates [P][row][G][V] for backward; null in inference
  index gate_panel_stride;
  T* h;  // [row][h_stride]: next step's h_prev; padded lanes are written; not h_prev
  T* y;  // row r at y + y_offsets[r], H values; null: not wanted
  const index* y_offsets;
  CellParams<T> cell;
};

// One time step of the cell's backward for rows and panels: dz over the gates, dc for the step
// before.
template <class T>
struct StepBackward {
  index row0, row1, panel0, panel1;
  index hidden;
  T* gates;  // in: activated gates; out: dz. [P][row][G][V]
  index gate_panel_stride;
  const T* c;       // [P][row][V] this step's c
  const T* c_prev;  // [P][row][V]; null: 0
  index c_panel_stride;
  const unsigned char* reset;  // [row] 1: c_prev counts as 0 and dc becomes 0; null: none
  const T* dy;                 // row r at dy + dy_offsets[r], H values; null: 0
  const index* dy_offsets;
  const T* dh;  // [row][dh_stride], padded; null: 0
  index dh_stride;
  T* dc;  // in: dL/dc of this step from the next; out: of the step before. [P][row][V]
  index dc_panel_stride;
  CellParams<T> cell;
};

// Layer-normalised cell, whole rows: z (from Gemm) to gates, c and h. In training z stays for
// backward, with the statistics; z_o then includes its peephole.
template <class T>
struct NormForward {
  index row0, row1;
  index hidden, panels;
  T* z;  // [P][row][G][V]; peephole terms are added in place
  index z_panel_stride;
  const T* c_prev;
  index c_prev_panel_stride;
  const unsigned char* reset;
  T* c;
  index c_panel_stride;
  T* stats;  // [row][2 G + 2]: means of each gate's z and of c, then their 1/sd
  T* h;
  index h_stride;
  T* y;
  const index* y_offsets;
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
  const T* stats;
  const T* dy;
  const index* dy_offsets;
  const T* dh;
  index dh_stride;
  T* dc;
  index dc_panel_stride;
  T* dnorm;  // [row][P][2 G + 2][V]: += gradients of gains and shifts (z, then c), a row each
  index dnorm_row_stride;
  T* scratch;  // [P][G + 1][V], of the calling thread
  CellParams<T> cell;
};

// The speed of light: `count` rounds of fused multiply-adds on independent registers, and nothing
// else.
template <class T>
struct FmaChains {
  index count;
  T* sums;  // out: [V], so that the work cannot be dropped
};
constexpr int kFmaChains = 12;  // vectors a round: enough to hide the latency of two units

}  // namespace lstmfast::kernels
