#include "ops/vector.h"

#include <algorithm>
#include <cstring>

#include "kernels/table.h"

namespace lstmfast::ops {
namespace {

// The blocks of a sum: their number and length depend on the count alone, and their totals fit on
// the stack.
constexpr index kMaxBlocks = 256;

// f(begin, end) -> total of a block; blocks have multiples of `unit` items.
template <class F>
double sum_of_blocks(index count, index unit, F f) {
  if (count <= unit) return count > 0 ? f(index{0}, count) : 0.0;
  const index units = (count + unit - 1) / unit;
  const index block = unit * ((units + kMaxBlocks - 1) / kMaxBlocks);
  const index blocks = (count + block - 1) / block;
  double totals[kMaxBlocks];
  for_shares(blocks, 2, [&](index begin, index end) {
    for (index p = begin; p < end; ++p) totals[p] = f(p * block, std::min(count, (p + 1) * block));
  });
  double total = 0;
  for (index p = 0; p < blocks; ++p) total += totals[p];
  return total;
}

index rows_of(index elements, index columns) {
  return std::max<index>(1, elements / std::max<index>(1, columns));
}

}  // namespace

template <class T>
void pointwise(kernels::PointwiseOp op, index count, T p, T q, const T* a, const T* b, T* y) {
  for_shares(count, kStreamGrain, [&](index begin, index end) {
    kernels::table<T>().pointwise(
        {op, end - begin, p, q, a + begin, b ? b + begin : nullptr, y + begin});
  });
}

template <class T>
double reduce(kernels::ReduceOp op, index count, const T* x, T factor) {
  return sum_of_blocks(count, kStreamGrain / 2, [&](index begin, index end) {
    double total;
    kernels::table<T>().reduce({op, end - begin, factor, x + begin, &total});
    return total;
  });
}

template <class T>
void activate(const ActivationSpec& activation, index rows, index columns, const T* x,
              index x_stride, T* y, index y_stride) {
  const auto& table = kernels::table<T>();
  if (activation.kind == Activation::linear) {
    if (y != x) gather_rows<T>(rows, columns, nullptr, x, x_stride, y, y_stride);
  } else if (activation.kind == Activation::softmax) {
    for_shares(rows, rows_of(kMathGrain, columns), [&](index begin, index end) {
      table.softmax(
          {end - begin, columns, x + begin * x_stride, x_stride, y + begin * y_stride, y_stride});
    });
  } else if (x_stride == columns && y_stride == columns) {
    for_shares(rows * columns, kMathGrain, [&](index begin, index end) {
      table.map({activation, end - begin, x + begin, y + begin});
    });
  } else {
    for_shares(rows, rows_of(kMathGrain, columns), [&](index begin, index end) {
      for (index r = begin; r < end; ++r)
        table.map({activation, columns, x + r * x_stride, y + r * y_stride});
    });
  }
}

template <class T>
void activate_backward(const ActivationSpec& activation, index rows, index columns, const T* kept,
                       index kept_stride, const T* dy, index dy_stride, T* dx, index dx_stride) {
  const auto& table = kernels::table<T>();
  if (activation.kind == Activation::linear) {
    if (dx != dy) gather_rows<T>(rows, columns, nullptr, dy, dy_stride, dx, dx_stride);
  } else if (activation.kind == Activation::softmax) {
    for_shares(rows, rows_of(kMathGrain, columns), [&](index begin, index end) {
      table.softmax_backward({end - begin, columns, kept + begin * kept_stride, kept_stride,
                              dy + begin * dy_stride, dy_stride, dx + begin * dx_stride,
                              dx_stride});
    });
  } else if (kept_stride == columns && dy_stride == columns && dx_stride == columns) {
    for_shares(rows * columns, kMathGrain, [&](index begin, index end) {
      table.map_backward({activation, end - begin, kept + begin, dy + begin, dx + begin});
    });
  } else {
    for_shares(rows, rows_of(kMathGrain, columns), [&](index begin, index end) {
      for (index r = begin; r < end; ++r)
        table.map_backward(
            {activation, columns, kept + r * kept_stride, dy + r * dy_stride, dx + r * dx_stride});
    });
  }
}

template <class T>
void gather_rows(index rows, index columns, const index* from, const T* x, index x_stride, T* y,
                 index y_stride) {
  if (columns <= 0) return;
  const auto bytes = static_cast<std::size_t>(columns) * sizeof(T);
  for_shares(rows, rows_of(kStreamGrain, columns), [&](index begin, index end) {
    for (index r = begin; r < end; ++r)
      std::memcpy(y + r * y_stride, x + (from ? from[r] : r) * x_stride, bytes);
  });
}

template <class T>
double loss_total(void (*kernel)(const kernels::LossRows<T>&), const kernels::LossRows<T>& rows) {
  const index steps = std::max<index>(1, rows.steps);
  const index unit = (rows_of(kMathGrain / 2, rows.columns) + steps - 1) / steps * steps;
  return sum_of_blocks(rows.rows, unit, [&](index begin, index end) {
    kernels::LossRows<T> block = rows;
    double total = 0;
    block.rows = end - begin;
    block.prediction += begin * rows.prediction_stride;
    block.target += begin * rows.target_stride;
    if (rows.weights) block.weights += begin;
    if (rows.gradient) block.gradient += begin * rows.gradient_stride;
    if (rows.output) block.output += begin * rows.output_stride;
    block.total = &total;
    kernel(block);
    return total;
  });
}

template <class T>
double match_total(const kernels::Matches<T>& rows) {
  return sum_of_blocks(rows.rows, rows_of(kMathGrain, rows.columns), [&](index begin, index end) {
    kernels::Matches<T> block = rows;
    double total = 0;
    block.rows = end - begin;
    block.prediction += begin * rows.prediction_stride;
    block.target += begin * rows.target_stride;
    if (rows.weights) block.weights += begin;
    block.total = &total;
    kernels::table<T>().matches(block);
    return total;
  });
}

#define LF_INSTANTIATE(T)                                                                         \
  template void pointwise(kernels::PointwiseOp, index, T, T, const T*, const T*, T*);             \
  template double reduce(kernels::ReduceOp, index, const T*, T);                                  \
  template void activate(const ActivationSpec&, index, index, const T*, index, T*, index);        \
  template void activate_backward(const ActivationSpec&, index, index, const T*, index, const T*, \
                                  index, T*, index);                                              \
  template void gather_rows(index, index, const index*, const T*, index, T*, index);              \
  template double match_total(const kernels::Matches<T>&);                                        \
  template double loss_total(void (*)(const kernels::LossRows<T>&), const kernels::LossRows<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE
template void gather_rows(index, index, const index*, const std::int32_t*, index, std::int32_t*,
                          index);
template void gather_rows(index, index, const index*, const unsigned char*, index, unsigned char*,
                          index);

}  // namespace lstmfast::ops
