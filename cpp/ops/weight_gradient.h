// Gradient of a packed weight block: dW[k] += sum over rows of A[row][k] dz[row], where A's columns
// come from several sources side by side (ones for the bias, x, h). Knows no cells.
#pragma once

#include "base/buffer.h"
#include "kernels/table.h"

namespace lstmfast::ops {

// A run of A's columns: row(r) gives the k elements of row r, or null for zeros.
template <class T>
struct ColumnSource {
  index first, k;
  const T* const* rows;  // of the current block of rows
};

// Rows a block: the reduction is cut here and the pieces are added in ascending order, for any
// number of threads.
constexpr index kReductionRows = 256;

// Adds the product of `rows` (at most kReductionRows) rows to tiles tile0 .. tile1 of every panel.
// Sources must cover columns 0 .. k; packed has room for (tile1 - tile0) * rows * mr elements and
// belongs to the calling thread.
template <class T>
void add_weight_gradient(const ColumnSource<T>* sources, int source_count, index k, index rows,
                         index tile0, index tile1, int nr, const T* dz, index dz_panel_stride,
                         index dz_row_stride, T* dw, index dw_panel_stride, index panels,
                         T* packed) {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const int mr = kernel.tile_rows[nr];
  const index begin = tile0 * mr, end = tile1 * mr;
  const T* zeros[kReductionRows] = {};
  const auto pack = [&](index first, index count, const T* const* from, index skip) {
    const T* shifted[kReductionRows];
    for (index r = 0; r < rows; ++r) shifted[r] = from[r] ? from[r] + skip : nullptr;
    kernel.pack_columns({rows, first - begin, count, mr, shifted, packed});
  };
  for (int i = 0; i < source_count; ++i) {
    const index first = sources[i].first > begin ? sources[i].first : begin;
    const index last =
        sources[i].first + sources[i].k < end ? sources[i].first + sources[i].k : end;
    if (first < last) pack(first, last - first, sources[i].rows, first - sources[i].first);
  }
  if (k < end) pack(k, end - k, zeros, 0);
  kernels::Outer<T> o{};
  o.rows = rows;
  o.tile0 = 0;
  o.tile1 = tile1 - tile0;
  o.panel0 = 0;
  o.panel1 = panels;
  o.nr = nr;
  o.mr = mr;
  o.k = (k < end ? k : end) - begin;
  o.a = packed;
  o.b = dz;
  o.b_panel_stride = dz_panel_stride;
  o.b_row_stride = dz_row_stride;
  o.c = dw + begin * nr * kernel.lanes;
  o.c_panel_stride = dw_panel_stride;
  kernel.outer(o);
}

}  // namespace lstmfast::ops
