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

// The layout of the last panel where its units would leave much of its vectors empty: a row is its
// gates one after the other, `units` elements each, in `vectors` vectors, with zeros after them.
// units 0: the last panel is like the others.
struct Tail {
  index units;
  int vectors;
};

// B of a product in reduced precision, in panels [group][vectors][V][k of a group]: a group has so
// many rows k that a vector of it is one of the ISA, or half of one, and zeros after the last row;
// of bfloat16 it has two. Panels of int8 begin with [vectors][V] scales of the columns (float) and
// [vectors][V] sums to start from (int32). The product takes nr vectors from `first` on.
struct Reduced {
  Precision precision;  // full: B is in the type of all numbers
  const unsigned char* panels;
  index panel_bytes;
  int vectors, first;
  // Of int8: room for the rows of A as whole numbers, row_bytes apart, and for the scale of each;
  // by row of A, of the calling thread.
  unsigned char* rows;
  index row_bytes;
  float* row_scales;
  // Of the nr vectors: the first `scaled` get the scales of their columns and the bias, which is
  // bias + more_bias if that is given; the last `fresh` do not accumulate, and have `bias` alone.
  int scaled, fresh;
  const float* more_bias;
  index l2;  // bytes of the cache
};

// Sums side by side of a dot product, and the most columns that are made of dot products.
inline constexpr int kDotSums = 16, kMostDots = 4;
// Terms of a dot product of k terms, with the zeros that fill up its last.
inline index dot_terms(index k) { return (k + kDotSums - 1) / kDotSums * kDotSums; }

// C[m][n] = init + sum over k of A[m][k] * B[k][n], k ascending unless columns_of_b is given, one
// fused multiply-add a term.
template <class T>
struct Gemm {
  index row0, row1;      // rows m of this call
  index panel0, panel1;  // panels of nr * V columns of this call
  bool descending;  // from the last panel to the first, which reads what a cache still holds first
  int nr;           // vectors a panel: 1 to 4
  // A: row m starts at a + (a_offsets ? a_offsets[m] : m * a_stride); its k axis is `segments` runs
  // of `segment` consecutive elements, `segment_stride` apart (one run for an ordinary matrix).
  const T* a;
  const index* a_offsets;
  index a_stride;
  index segments, segment, segment_stride;
  // Where units of the last segment are padding: the elements of each of its vectors that count;
  // the others are skipped in A and B. 0: all count.
  index last_units;
  // Segments after which the sums are stored to C, so that this part of a panel of B stays in L2
  // for all rows; 0: all segments at once.
  index rest;
  // Offset in elements from A to a matrix of the same layout that is read after this call and is
  // prefetched; 0: none.
  index a_next;
  bool fetches;  // whether B comes from memory: the last tiles of a part of it prefetch the next
                 // part
  const T* b;    // [panel][k][nr][V], panels b_panel_stride apart
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
  // The columns of B, at most kMostDots of dot_terms(segment) numbers each, the last of them zeros.
  // Then A has one segment, b is not read, there is one panel and C[m][n] is the bias plus a dot
  // product: of kDotSums sums, the j-th has the terms k for which k modulo kDotSums is j, and the
  // upper half is added to the lower until one is left. Null: not so.
  const T* columns_of_b;
  // Then A has one segment, B is null, and nothing is fetched. Of int8 C = t, or t scale + bias
  // where it is scaled: t is the scale of the row times the exact sum, added to C with
  // `accumulate`. With `segment` 0 all sums are 0.
  Reduced reduced;
};

// Packs rows of A into tiles of `mr` columns, [tile][row][mr], so that Outer can broadcast from one
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
  int nr, mr;  // mr: tile_rows[nr], or for a tail that of the other panels
  index k;     // valid k in all
  const T* a;  // from PackColumns, [k tile][rows][mr]
  const T* b;  // row r of panel p at b + p * b_panel_stride + r * b_row_stride: [nr][V]
  index b_panel_stride, b_row_stride;
  // row k of panel p at c + p * c_panel_stride + k * c_row_stride: [nr][V]; nr V where nr > 2
  T* c;
  index c_panel_stride, c_row_stride;
  bool overwrites;  // C = in place of C +=
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

// The rows of a tail's gates in the layout of its weights: from [row][G][V] with zeros after
// `tail.units` of each vector to out [row][tail.vectors][V], which has V more elements of room.
template <class T>
struct PackGates {
  index rows;
  int gates;
  Tail tail;
  const T* from;
  index from_stride;
  T* out;
};

// Panels of the transpose: from G vectors of each row k0 .. k0 + k of panels w [panel][k][row], to
// out [q][panel * G * V][nr][V]: output column n = k0 + q * nr * V + ..., padded with zeros. Of a
// tail, the rows of units that exist.
template <class T>
struct TransposePanels {
  index panels;  // of w
  int gates;     // G (nr for a general matrix)
  index w_row;   // elements of a row of w
  Tail tail;     // of w's last panel, which then lies at tail_w
  const T* w;
  const T* tail_w;
  index w_panel_stride;
  index k;       // rows of each panel to turn into columns
  int nr;        // vectors an output panel
  index q0, q1;  // output panels of this call
  T* out;
  index out_panel_stride;  // = panels * G * V * nr * V
};

// `count` rounds of fused multiply-adds on independent registers and nothing else: the peak.
template <class T>
struct FmaChains {
  index count;
  T* sums;  // out: [V], so that the compiler cannot remove the work
};
constexpr int kFmaChains = 12;  // vectors a round: enough to hide the latency of two units

// Loads x [count] once, in ascending order, and nothing else: the limit where weights are read.
template <class T>
struct ReadOnce {
  index count;
  const T* x;
  T* sums;  // out: [V], so that the compiler cannot remove the work
};

}  // namespace lstmfast::kernels
