#include "ops/orthogonal.h"

#include <algorithm>
#include <cmath>

#include "base/buffer.h"
#include "base/check.h"
#include "base/denormals.h"
#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/plan.h"

namespace lstmfast::ops {
namespace {

// C (rows x columns) = [C +] A (rows x k) B (k x columns), whose columns are shared among threads.
// pack(k0, k1, column, width, b): rows k0 .. k1 and `width` columns from `column` on of B into
// b [k1 - k0][width].
template <class T>
struct Product {
  index rows, k, columns;
  const T* a;
  index a_stride;
  T* c;
  index c_stride;
  bool accumulate;

  template <class Pack>
  void run(Pack pack) const {
    constexpr index kDepth = 256;  // of B at a time: with four vectors it stays in L1 or L2
    const kernels::Table<T>& kernel = kernels::table<T>();
    const int nr = panel_vectors(columns, kernel.lanes);
    const index width = nr * kernel.lanes, panels = (columns + width - 1) / width;
    const double flops = 2.0 * double(rows) * double(k) * double(columns);
    base::team::parallel_for(threads_for(flops, panels), panels, 1, [&](index begin, index end) {
      base::Buffer<T> b(kDepth * width);
      base::InterruptPoint point;
      for (index p = begin; p < end; ++p) {
        kernels::Gemm<T> g{};
        g.row1 = rows;
        g.panel1 = 1;
        g.nr = nr;
        g.a_stride = a_stride;
        g.segments = 1;
        g.b = b.data();
        g.c = c + p * width;
        g.c_stride = c_stride;
        g.columns = std::min(width, columns - p * width);
        for (index k0 = 0; k0 < k; k0 += kDepth) {
          g.segment = std::min(kDepth, k - k0);
          g.a = a + k0;
          g.accumulate = accumulate || k0 > 0;
          if (g.columns < width) std::fill_n(b.data(), kDepth * width, T(0));
          pack(k0, k0 + g.segment, p * width, g.columns, width, b.data());
          kernel.gemm(g);
          point.pass(2.0 * double(rows) * double(g.segment) * double(g.columns));
        }
      }
    });
  }
};

template <class T>
class Rows {
 public:
  Rows(index rows, index columns, T* data)
      : columns_(columns), data_(data), products_(rows / 2 * ((rows + 1) / 2)) {}

  // Makes rows begin .. end orthonormal. Returns the smallest fraction of a row's length that was
  // left after its parts along other rows were subtracted.
  double sweep(index begin, index end) {
    least_ = 1;
    lengths_.resize(end);
    for (index r = begin; r < end; ++r) lengths_.data()[r] = std::sqrt(dot(row(r), row(r)));
    orthonormalise(begin, end);
    return least_;
  }

 private:
  T* row(index r) const { return data_ + r * columns_; }

  void orthonormalise(index begin, index end) {
    constexpr index kOneByOne = 8;
    if (end - begin <= kOneByOne) {
      base::InterruptPoint point;
      for (index r = begin; r < end; ++r) {
        point.pass(20.0 * double((r - begin + 1) * columns_));  // one element after the other
        for (index s = begin; s < r; ++s) subtract(row(r), dot(row(r), row(s)), row(s));
        const double length = std::sqrt(dot(row(r), row(r)));
        least_ = std::min(least_, length / lengths_.data()[r]);
        for (index i = 0; i < columns_; ++i) row(r)[i] = static_cast<T>(row(r)[i] / length);
      }
      return;
    }
    const index middle = begin + (end - begin) / 2;
    orthonormalise(begin, middle);
    project(begin, middle, end);
    orthonormalise(middle, end);
  }

  // Subtracts from rows middle .. end their parts along the orthonormal rows begin .. middle:
  // W -= (W Q') Q.
  void project(index begin, index middle, index end) {
    const index q = middle - begin, w = end - middle;
    T* const parts = products_.data();
    Product<T>{w, columns_, q, row(middle), columns_, parts, q, false}.run(
        [&](index k0, index k1, index column, index columns, index width, T* b) {
          for (index j = 0; j < columns; ++j) {
            const T* const from = row(begin + column + j);
            for (index k = k0; k < k1; ++k) b[(k - k0) * width + j] = -from[k];
          }
        });
    Product<T>{w, q, columns_, parts, q, row(middle), columns_, true}.run(
        [&](index k0, index k1, index column, index columns, index width, T* b) {
          for (index k = k0; k < k1; ++k)
            std::copy_n(row(begin + k) + column, columns, b + (k - k0) * width);
        });
  }

  double dot(const T* x, const T* y) const {
    constexpr index kSums = 16;  // in a fixed order
    double sums[kSums] = {};
    for (index i = 0; i + kSums <= columns_; i += kSums)
      for (index j = 0; j < kSums; ++j) sums[j] += double(x[i + j]) * double(y[i + j]);
    for (index i = columns_ / kSums * kSums; i < columns_; ++i)
      sums[i % kSums] += double(x[i]) * double(y[i]);
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
  }

  void subtract(T* x, double factor, const T* y) const {
    const T part = static_cast<T>(factor);
    for (index i = 0; i < columns_; ++i) x[i] -= part * y[i];
  }

  index columns_;
  T* data_;
  base::Buffer<T> products_;
  base::Buffer<double> lengths_;  // before the sweep
  double least_ = 1;
};

}  // namespace

template <class T>
void draw_orthonormal_rows(index rows, index columns, std::uint64_t seed, T* out) {
  LF_CHECK(rows >= 0 && rows <= columns, "[draw_orthonormal_rows] rows is "
                                             << rows << " and columns " << columns
                                             << "; expected 0 <= rows <= columns");
  const base::FlushDenormals flush;
  draw_normal(rows * columns, seed, out);
  Rows<T> matrix(rows, columns, out);
  // Rounding errors along other rows grow as a row shrinks; a quarter left costs two bits. Rows of
  // which nothing is left have probability 0, and more sweeps could not repair them.
  constexpr double kLeastLeft = 0.25;
  for (int sweeps = 0; sweeps < 4 && matrix.sweep(0, rows) < kLeastLeft; ++sweeps) {
  }
}

template void draw_orthonormal_rows<float>(index, index, std::uint64_t, float*);
template void draw_orthonormal_rows<double>(index, index, std::uint64_t, double*);

}  // namespace lstmfast::ops
