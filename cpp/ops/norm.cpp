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

// f(part) for shares of the rows.
template <class Rows, class F>
void share_rows(const Rows& all, index begin, index end, F f) {
  Rows part = all;
  part.rows = end - begin;
  part.x += begin * all.columns;
  f(part);
}

}  // namespace

template <class T>
void normalise_rows(const kernels::NormaliseRows<T>& rows) {
  for_items(rows.rows, kPasses * rows.columns, [&](index begin, index end) {
    share_rows(rows, begin, end, [&](auto& part) {
      part.y += begin * rows.columns;
      part.stats += 2 * begin;
      kernels::table<T>().normalise_rows(part);
    });
  });
}

template <class T>
void normalise_rows_backward(const kernels::NormaliseRowsBackward<T>& rows) {
  for_items(rows.rows, kPasses * rows.columns, [&](index begin, index end) {
    share_rows(rows, begin, end, [&](auto& part) {
      part.stats += 2 * begin;
      part.dy += begin * rows.columns;
      part.dx += begin * rows.columns;
      kernels::table<T>().normalise_rows_backward(part);
    });
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
      share_rows(matrix, first, std::min(rows, first + block), [&](auto& part) {
        part.dy = moved(matrix.dy, first * columns);
        part.mask = moved(matrix.mask, first);
        part.stats = moved(matrix.stats, 2 * first);
        part.sums = room + b * sums;
        kernels::table<T>().column_sums(part);
      });
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
  for_items(matrix.rows, kPasses * matrix.columns, [&](index begin, index end) {
    share_rows(matrix, begin, end, [&](auto& part) {
      part.y += begin * matrix.columns;
      kernels::table<T>().normalise_columns(part);
    });
  });
}

template <class T>
void normalise_columns_backward(const kernels::NormaliseColumnsBackward<T>& matrix) {
  for_items(matrix.rows, kPasses * matrix.columns, [&](index begin, index end) {
    share_rows(matrix, begin, end, [&](auto& part) {
      part.dy += begin * matrix.columns;
      part.dx += begin * matrix.columns;
      part.mask = moved(matrix.mask, begin);
      kernels::table<T>().normalise_columns_backward(part);
    });
  });
}

template <class T>
void rectify(const kernels::Rectify<T>& matrix) {
  for_items(matrix.rows, matrix.columns, [&](index begin, index end) {
    share_rows(matrix, begin, end, [&](auto& part) {
      part.y += begin * matrix.columns;
      kernels::table<T>().rectify(part);
    });
  });
}

template <class T>
void rectify_backward(const kernels::RectifyBackward<T>& matrix) {
  const kernels::Rectify<T>& all = matrix.forward;
  for_items(all.rows, all.columns, [&](index begin, index end) {
    share_rows(all, begin, end, [&](auto& part) {
      const index first = begin * all.columns;
      kernels::table<T>().rectify_backward({part, matrix.dy + first, matrix.dx + first});
    });
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
