#include "ops/norm.h"

#include <algorithm>

#include "kernels/table.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

constexpr index kMostBlocks = 32, kMaxSums = 2;
constexpr index kBlock = kStreamGrain / 2;  // elements of a block, at least
// Normalising elements takes as long as so many passes over cached ones.
constexpr index kPasses = 4;

index rows_of_block(index rows, index columns) {
  const index least = std::max<index>(1, kBlock / std::max<index>(1, columns));
  const index most = (rows + kMostBlocks - 1) / kMostBlocks;
  return (std::max(least, most) + least - 1) / least * least;
}

index sums_of(kernels::ColumnSum op) {
  return op == kernels::ColumnSum::products || op == kernels::ColumnSum::of_rows ? 2 : 1;
}

template <class E>
E* moved(E* array, index by) {
  return array == nullptr ? nullptr : array + by;
}

// Rows begin to end - 1.
template <class Rows>
Rows part_of(const Rows& all, index begin, index end) {
  Rows part = all;
  part.rows = end - begin;
  part.x += begin * all.columns;
  return part;
}

// f(part, row, before) for shares of the rows, each of which is work for so many elements: its
// first row, and how many elements stand before it.
template <class Rows, class F>
void share_rows(const Rows& all, index work, F f) {
  for_items(all.rows, work, [&](index begin, index end) {
    Rows part = part_of(all, begin, end);
    f(part, begin, begin * all.columns);
  });
}

}  // namespace

template <class T>
void normalise_rows(const kernels::NormaliseRows<T>& rows) {
  share_rows(rows, kPasses * rows.columns, [&](auto& part, index row, index before) {
    part.y += before;
    part.stats += 2 * row;
    kernels::table<T>().normalise_rows(part);
  });
}

template <class T>
void normalise_rows_backward(const kernels::NormaliseRowsBackward<T>& rows) {
  share_rows(rows, kPasses * rows.columns, [&](auto& part, index row, index before) {
    part.stats += 2 * row;
    part.dy += before;
    part.dx += before;
    kernels::table<T>().normalise_rows_backward(part);
  });
}

index column_sums_room(index rows, index columns) {
  const index block = rows_of_block(rows, columns);
  return rows <= block ? 0 : kMostBlocks * kMaxSums * columns;
}

template <class T>
void column_sums(const kernels::ColumnSums<T>& matrix, double* room) {
  const index rows = matrix.rows, columns = matrix.columns;
  const index block = rows_of_block(rows, columns);
  if (rows <= block) return kernels::table<T>().column_sums(matrix);
  const index blocks = (rows + block - 1) / block, sums = sums_of(matrix.op) * columns;
  for_shares(blocks, 2, [&](index begin, index end) {
    for (index b = begin; b < end; ++b) {
      const index first = b * block;
      kernels::ColumnSums<T> part = part_of(matrix, first, std::min(rows, first + block));
      part.dy = moved(matrix.dy, first * columns);
      part.mask = moved(matrix.mask, first);
      part.stats = moved(matrix.stats, 2 * first);
      part.sums = room + b * sums;
      kernels::table<T>().column_sums(part);
    }
  });
  for_items(sums, 2 * blocks, [&](index begin, index end) {
    for (index i = begin; i < end; ++i) {
      double total = 0;
      for (index b = 0; b < blocks; ++b) total += room[b * sums + i];
      matrix.sums[i] = total;
    }
  });
}

template <class T>
void normalise_columns(const kernels::NormaliseColumns<T>& matrix) {
  share_rows(matrix, kPasses * matrix.columns, [&](auto& part, index, index before) {
    part.y += before;
    kernels::table<T>().normalise_columns(part);
  });
}

template <class T>
void normalise_columns_backward(const kernels::NormaliseColumnsBackward<T>& matrix) {
  share_rows(matrix, kPasses * matrix.columns, [&](auto& part, index row, index before) {
    part.dy += before;
    part.dx += before;
    part.mask = moved(matrix.mask, row);
    kernels::table<T>().normalise_columns_backward(part);
  });
}

template <class T>
void rectify(const kernels::Rectify<T>& matrix) {
  share_rows(matrix, matrix.columns, [&](auto& part, index, index before) {
    part.y += before;
    kernels::table<T>().rectify(part);
  });
}

template <class T>
void rectify_backward(const kernels::RectifyBackward<T>& matrix) {
  const kernels::Rectify<T>& all = matrix.forward;
  share_rows(all, all.columns, [&](auto& part, index, index before) {
    kernels::table<T>().rectify_backward({part, matrix.dy + before, matrix.dx + before});
  });
}

#define LF_INSTANTIATE(T)                                                                \
  template void normalise_rows(const kernels::NormaliseRows<T>&);                        \
  template void normalise_rows_backward(const kernels::NormaliseRowsBackward<T>&);       \
  template void column_sums(const kernels::ColumnSums<T>&, double*);                     \
  template void normalise_columns(const kernels::NormaliseColumns<T>&);                  \
  template void normalise_columns_backward(const kernels::NormaliseColumnsBackward<T>&); \
  template void rectify(const kernels::Rectify<T>&);                                     \
  template void rectify_backward(const kernels::RectifyBackward<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
