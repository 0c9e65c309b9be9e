#include "ops/orthogonal.h"

#include <algorithm>
#include <cmath>

#include "base/buffer.h"
#include "base/check.h"
#include "base/denormals.h"
#include "base/interrupt.h"
#include "ops/linear.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

template <class T>
class OrthonormalRows {
 public:
  OrthonormalRows(index rows, index columns, T* data)
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
    const LinearShape<T> along(q, columns_);
    block_.resize(along.size());
    import_part(along.kernel(), row(begin), block_.data());
    const Rows<T> below{row(middle), nullptr, columns_}, parts{products_.data(), nullptr, q};
    along.backward(block_.data(), w, {}, constant(below), parts, nullptr, false, scratch_);
    scale<T>(w * q, -1, parts.data, parts.data);
    along.forward(block_.data(), w, constant(parts), below, true);
  }

  static Rows<const T> constant(const Rows<T>& rows) { return {rows.data, nullptr, rows.stride}; }

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
  base::Buffer<T> products_, block_;
  LinearScratch<T> scratch_;
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
  OrthonormalRows<T> matrix(rows, columns, out);
  // Rounding errors along other rows grow as a row shrinks; a quarter left costs two bits. Rows of
  // which nothing is left have probability 0, and more sweeps could not repair them.
  constexpr double kLeastLeft = 0.25;
  for (int sweeps = 0; sweeps < 4 && matrix.sweep(0, rows) < kLeastLeft; ++sweeps) {
  }
}

template void draw_orthonormal_rows<float>(index, index, std::uint64_t, float*);
template void draw_orthonormal_rows<double>(index, index, std::uint64_t, double*);

}  // namespace lstmfast::ops
