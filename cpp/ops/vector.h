// Passes over flat vectors and over the rows of matrices, on the thread team when they are long.
// Knows no layers.
//
// A pass without a sum has the same bits for any partition. A sum is taken over fixed blocks, whose
// totals are added in order, so that it has the same bits for any number of threads.
#pragma once

#include <algorithm>

#include "base/plain.h"
#include "base/team.h"
#include "kernels/vector_args.h"

namespace lstmfast::ops {

// f(begin, end) over shares of 0 .. count: on the caller's thread alone up to `grain`, the work
// of a few microseconds.
template <class F>
void for_shares(index count, index grain, F&& f) {
  constexpr double kSecondsPerGrain = 3e-6;
  if (count <= grain) {
    if (count > 0) f(index{0}, count);
  } else {
    const double seconds = kSecondsPerGrain * double(count) / double(grain);
    base::team::parallel_for({base::team::get_num_threads(), seconds}, count, grain, f);
  }
}

// The least elements for a thread: of memory-bound passes, and of passes that compute about an exp
// for each element.
constexpr index kStreamGrain = 32768;
constexpr index kMathGrain = 8192;

// As for_shares, of items with `elements` each in a memory-bound pass.
template <class F>
void for_items(index count, index elements, F&& f) {
  for_shares(count, std::max<index>(1, kStreamGrain / std::max<index>(1, elements)), f);
}

// y = activation(x), rows x columns; y may be x (with the same stride). Softmax acts along each
// row.
template <class T>
void activate(const ActivationSpec& activation, index rows, index columns, const T* x,
              index x_stride, T* y, index y_stride);

// dx = d activation / d x applied to dy; `kept` holds x where needs_input(activation), else y. dx
// may be dy or kept (with the same stride).
template <class T>
void activate_backward(const ActivationSpec& activation, index rows, index columns, const T* kept,
                       index kept_stride, const T* dy, index dy_stride, T* dx, index dx_stride);

// y = an operation of kernels/vector_args.h on a and b, element by element.
template <class T>
void pointwise(kernels::PointwiseOp op, index count, T p, T q, const T* a, const T* b, T* y);

// y += alpha x.
template <class T>
void axpy(index count, T alpha, const T* x, T* y) {
  pointwise<T>(kernels::PointwiseOp::axpy, count, alpha, 0, x, nullptr, y);
}

// y += alpha sign(x), where the sign of 0 is 0.
template <class T>
void add_signs(index count, T alpha, const T* x, T* y) {
  pointwise<T>(kernels::PointwiseOp::signs, count, alpha, -alpha, x, nullptr, y);
}

// y = alpha x; y may be x.
template <class T>
void scale(index count, T alpha, const T* x, T* y) {
  pointwise<T>(kernels::PointwiseOp::scale, count, alpha, 0, x, nullptr, y);
}

// y = a + b and y = a * b; y may be a or b.
template <class T>
void add(index count, const T* a, const T* b, T* y) {
  pointwise<T>(kernels::PointwiseOp::add, count, 0, 0, a, b, y);
}
template <class T>
void multiply(index count, const T* a, const T* b, T* y) {
  pointwise<T>(kernels::PointwiseOp::multiply, count, 0, 0, a, b, y);
}

// y = x limited to low .. high; y may be x. NaN stays NaN.
template <class T>
void clamp(index count, T low, T high, const T* x, T* y) {
  pointwise<T>(kernels::PointwiseOp::clamp, count, low, high, x, nullptr, y);
}

// y = p y + q x.
template <class T>
void mix(index count, T p, T q, const T* x, T* y) {
  pointwise<T>(kernels::PointwiseOp::mix, count, p, q, x, nullptr, y);
}

// y = (a - p) b + q; y may be a or b.
template <class T>
void affine(index count, T p, T q, const T* a, const T* b, T* y) {
  pointwise<T>(kernels::PointwiseOp::affine, count, p, q, a, b, y);
}

// Row r of y = row from[r] of x (from null: row r). y is not x.
template <class T>
void gather_rows(index rows, index columns, const index* from, const T* x, index x_stride, T* y,
                 index y_stride);

// The sum of an operation of kernels/vector_args.h on the elements.
template <class T>
double reduce(kernels::ReduceOp op, index count, const T* x, T factor = T(1));

template <class T>
double sum(index count, const T* x) {
  return reduce(kernels::ReduceOp::sum, count, x);
}

// Sum of |x|.
template <class T>
double sum_of_magnitudes(index count, const T* x) {
  return reduce(kernels::ReduceOp::magnitudes, count, x);
}

// Sum of (factor x)^2. A factor far below 1 keeps squares of large elements finite.
template <class T>
double sum_of_squares(index count, const T* x, T factor = T(1)) {
  return reduce(kernels::ReduceOp::squares, count, x, factor);
}

// Whether no element is infinite or NaN.
template <class T>
bool all_finite(index count, const T* x) {
  return reduce(kernels::ReduceOp::zeros, count, x) == 0;
}

// The total of a loss kernel over all rows; `rows.total` is not used.
template <class T>
double loss_total(void (*kernel)(const kernels::LossRows<T>&), const kernels::LossRows<T>& rows);

// The number of matching elements or rows, each weighted by its row; `rows.total` is not used.
template <class T>
double match_total(const kernels::Matches<T>& rows);

}  // namespace lstmfast::ops
