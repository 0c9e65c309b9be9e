// Gradient of a packed weight block: dW[k] += sum over rows of A[row][k] dz[row], where A's columns
// come from several sources in turn (ones for the bias, x, h). Knows no cells.
#pragma once

#include <algorithm>

#include "kernels/table.h"

namespace lstmfast::ops {

// A run of A's columns: rows[r] + shift points to the k elements of row r; a null row is zeros.
template <class T>
struct ColumnSource {
  index first, k;
  const T* const* rows;  // of the current block of rows
  index shift = 0;
};

// Rows of a block: the reduction is cut into blocks that are added in ascending order, for any
// number of threads.
constexpr index kReductionRows = 256;

// One block of rows of the product, and the tiles of the result that a thread computes.
template <class T>
struct WeightGradient {
  // Cover columns 0 .. k; not of a caller that packs them itself.
  const ColumnSource<T>* sources;
  int source_count;
  index k;
  index rows;                  // at most kReductionRows
  index tile0, tile1, panels;  // every panel of these k tiles
  int nr;
  const T* dz;  // row r of panel p: dz + p * dz_panel_stride + r * dz_row_stride
  index dz_panel_stride, dz_row_stride;
  T* dw;  // += [panel][k][nr][V], rows dw_row_stride apart
  index dw_panel_stride, dw_row_stride;
  bool overwrites;   // dw = in place of +=
  const T* tail_dz;  // of one more panel, [row][tail_vectors][V]; null: there is none
  T* tail_dw;        // [k][tail_vectors][V]
  int tail_vectors;
  T* packed;  // [(tile1 - tile0) * rows * mr] scratch of the calling thread
};

// Packs what the tiles of `w` take of a source.
template <class T>
void pack_source(const WeightGradient<T>& w, const ColumnSource<T>& source) {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const int mr = kernel.tile_rows[w.nr];
  const index begin = w.tile0 * mr;
  const index first = std::max(source.first, begin);
  const index last = std::min(source.first + source.k, w.tile1 * mr);
  if (first >= last) return;
  const index shift = source.shift + (first - source.first);
  const T* shifted[kReductionRows];
  for (index r = 0; r < w.rows; ++r) shifted[r] = source.rows[r] ? source.rows[r] + shift : nullptr;
  kernel.pack_columns({w.rows, first - begin, last - first, mr, shifted, w.packed});
}

// The product, once all sources are packed.
template <class T>
void add_packed(const WeightGradient<T>& w) {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const int mr = kernel.tile_rows[w.nr];
  const index begin = w.tile0 * mr, end = w.tile1 * mr;
  if (w.k < end) {
    const T* nothing[kReductionRows];
    std::fill_n(nothing, w.rows, nullptr);
    kernel.pack_columns({w.rows, w.k - begin, end - w.k, mr, nothing, w.packed});
  }
  kernels::Outer<T> o{};
  o.rows = w.rows;
  o.tile1 = w.tile1 - w.tile0;
  o.panel1 = w.panels;
  o.nr = w.nr;
  o.mr = mr;
  o.k = std::min(w.k, end) - begin;
  o.a = w.packed;
  o.b = w.dz;
  o.b_panel_stride = w.dz_panel_stride;
  o.b_row_stride = w.dz_row_stride;
  o.c = w.dw + begin * w.dw_row_stride;
  o.c_panel_stride = w.dw_panel_stride;
  o.c_row_stride = w.dw_row_stride;
  o.overwrites = w.overwrites;
  kernel.outer(o);
  if (!w.tail_dz) return;
  o.nr = w.tail_vectors;
  o.panel1 = 1;
  o.b = w.tail_dz;
  o.b_row_stride = o.c_row_stride = o.nr * kernel.lanes;
  o.c = w.tail_dw + begin * o.c_row_stride;
  kernel.outer(o);
}

template <class T>
void add_weight_gradient(const WeightGradient<T>& w) {
  for (int i = 0; i < w.source_count; ++i) pack_source(w, w.sources[i]);
  add_packed(w);
}

}  // namespace lstmfast::ops
