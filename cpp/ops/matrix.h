// Products of many matrices, each on one thread, by the kernel of packed panels. Knows no
// layers.
#pragma once

#include <algorithm>

#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/linear.h"
#include "ops/plan.h"

namespace lstmfast::ops {

// Element (r, c) at data + r * row + c * column.
template <class T>
struct Matrix {
  const T* data;
  index row, column;
  Matrix transposed() const { return {data, column, row}; }
};

// Room for the packed b of product().
template <class T>
index panels_size(index k, index n) {
  return k == 0 || n == 0 ? 0 : LinearShape<T>(k, n).size();
}

// c [m][n] = a [m][k] b [k][n], where rows of `a` are contiguous; b is packed into `panels`.
template <class T>
void product(index m, index k, index n, const T* a, index a_stride, const Matrix<T>& b, T* c,
             index c_stride, T* panels) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (index i = 0; i < m; ++i) std::fill_n(c + i * c_stride, n, T(0));
    return;
  }
  const LinearShape<T> shape(k, n);
  const index width = shape.groups * shape.lanes;
  for (index p = 0; p < shape.panels; ++p) {
    T* const out = panels + (p * (1 + k) + 1) * width;  // after the bias, which is not read
    const index first = p * width, columns = std::min(width, n - first);
    const T* const from = b.data + first * b.column;
    if (columns < width) std::fill_n(out, k * width, T(0));
    if (b.column == 1) {
      for (index r = 0; r < k; ++r) std::copy_n(from + r * b.row, columns, out + r * width);
    } else {
      for (index j = 0; j < columns; ++j) {
        for (index r = 0; r < k; ++r) out[r * width + j] = from[j * b.column + r * b.row];
      }
    }
  }
  kernels::Gemm<T> g = shape.product(panels);
  g.row1 = m;
  g.a = a;
  g.a_stride = a_stride;
  g.c = c;
  g.c_stride = c_stride;
  kernels::table<T>().gemm(g);
}

template <class T>
void transpose(index rows, index columns, const T* x, T* y) {
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < columns; ++c) y[c * rows + r] = x[r * columns + c];
  }
}

// Elements rounded up, so that the next array begins on a cache line.
inline index whole_lines(index count) { return (count + 15) / 16 * 16; }

// Calls f(item, scratch of its thread) for all items of so much arithmetic, shared among `threads`
// at most; there are `size` elements of scratch for each of them.
template <class T, class F>
void for_products(index items, double flops, int threads, T* scratch, index size, F f) {
  base::team::Request request = threads_for(flops * double(items), items);
  request.threads = std::min(request.threads, threads);
  base::team::run(request, [&](int tid, int n) {
    base::InterruptPoint point;
    const base::Range share = base::split(items, tid, n);
    for (index item = share.begin; item < share.end; ++item) {
      f(item, scratch + tid * size);
      point.pass(flops);
    }
  });
}

// As product(), for so few elements that packing b costs more than it gains: rows or columns of b
// are contiguous.
template <class T>
void small_product(index m, index k, index n, const T* a, const Matrix<T>& b, T* c) {
  constexpr index kLanes = 8;  // sums side by side, so that compilers use vectors
  for (index i = 0; i < m; ++i, a += k, c += n) {
    if (b.column == 1) {
      std::fill_n(c, n, T(0));
      for (index r = 0; r < k; ++r) {
        for (index j = 0; j < n; ++j) c[j] += a[r] * b.data[r * b.row + j];
      }
      continue;
    }
    for (index j = 0; j < n; ++j) {
      const T* const from = b.data + j * b.column;
      T sums[kLanes] = {}, sum = 0;
      index r = 0;
      for (; r + kLanes <= k; r += kLanes) {
        for (index l = 0; l < kLanes; ++l) sums[l] += a[r + l] * from[r + l];
      }
      for (; r < k; ++r) sum += a[r] * from[r];
      for (const T each : sums) sum += each;
      c[j] = sum;
    }
  }
}

// y = a b of `count` pairs of matrices a [m][k] and b [k][n], or, where b is `turned`, [n][k].
template <class T>
struct Products {
  index count = 0, m = 0, k = 0, n = 0;
  bool turned = false;
  int threads = 1;  // at most

  // Elements of scratch for one thread.
  index scratch(bool training) const {
    index panels = panels_size<T>(k, n);
    if (training) {
      const index more = turned ? panels_size<T>(m, k) : panels_size<T>(m, n);
      panels = std::max({panels, panels_size<T>(n, k), more}) + whole_lines(m * (turned ? n : k));
    }
    return whole_lines(panels);
  }

  void forward(const T* a, const T* b, T* y, T* scratch_memory) const {
    for_products(
        count, 2.0 * double(m) * double(k) * double(n), threads, scratch_memory, scratch(false),
        [&](index i, T* own) { one(m, k, n, a + i * m * k, right(b, i), y + i * m * n, own); });
  }

  // da and db are overwritten; null: not wanted.
  void backward(const T* dy, const T* a, const T* b, T* da, T* db, T* scratch_memory) const {
    const index size = scratch(true);
    for_products(count, 4.0 * double(m) * double(k) * double(n), threads, scratch_memory, size,
                 [&](index i, T* own) {
                   const T *const dyi = dy + i * m * n, *const ai = a + i * m * k;
                   if (da != nullptr) {
                     one(m, n, k, dyi, right(b, i).transposed(), da + i * m * k, own);
                   }
                   if (db == nullptr) return;
                   const index rows = turned ? n : k, columns = turned ? k : n;
                   T* const left = own + size - whole_lines(m * rows);
                   transpose(m, rows, turned ? dyi : ai, left);
                   one(rows, m, columns, left, Matrix<T>{turned ? ai : dyi, columns, 1},
                       db + i * n * k, own);
                 });
  }

 private:
  static void one(index m, index k, index n, const T* a, const Matrix<T>& b, T* c, T* panels) {
    const bool few = m * k * n <= 256 || (m < 4 && b.column != 1);
    few ? small_product(m, k, n, a, b, c) : product(m, k, n, a, k, b, c, n, panels);
  }
  Matrix<T> right(const T* b, index i) const {
    const T* const from = b + i * k * n;
    return turned ? Matrix<T>{from, 1, k} : Matrix<T>{from, n, 1};
  }
};

}  // namespace lstmfast::ops
