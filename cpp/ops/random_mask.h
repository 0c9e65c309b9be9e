// Random masks and noise of many rows and steps, on the thread team. Knows how their numbers are
// named in a stream, no layers.
#pragma once

#include "base/rng.h"
#include "kernels/vector_args.h"

namespace lstmfast::ops {

// The work of one number of a mask, in floating-point operations: for base/interrupt.h.
constexpr double kFlopsOfDraw = 30;

// What a mask holds: `dropped` with probability `rate`, else `kept`.
template <class T>
struct MaskValues {
  double rate;  // 0 .. 1
  T dropped, kept;
};

// 0, or 1 / (1 - rate), so that the mean is 1; all 0 at rate 1.
template <class T>
MaskValues<T> dropout_values(double rate) {
  return {rate, T(0), rate < 1 ? static_cast<T>(1 / (1 - rate)) : T(0)};
}

// 1 where the old value stays, else 0.
template <class T>
MaskValues<T> zoneout_values(double rate) {
  return {rate, T(1), T(0)};
}

// The kernel's arguments for a stream; the caller sets rows and memory.
template <class T>
kernels::RandomMask<T> random_rows(const base::RandomStream& stream, const MaskValues<T>& values);

template <class T>
struct MaskBlock {
  index rows, steps, units;
  T* mask;  // [rows][steps][units] out
  index row_stride, step_stride;
  const index* row_numbers = nullptr;  // [rows] names of the rows; null: 0, 1, ...
  index first_time = 0;                // names of the steps: first_time, first_time + 1, ...
  index padded = 0;                    // units up to here become 0
};

// Number j of stream.at(row, time) decides unit j, the same for float and double. A mask does not
// depend on the other rows of the batch, on where its steps begin, or on threads.
template <class T>
void fill_random_mask(const base::RandomStream& stream, const MaskValues<T>& values,
                      const MaskBlock<T>& block);

// The quantile p, from above 0 to below 1, of the normal distribution, to about seven digits.
double normal_quantile(double p);

// out [rows][steps][units], contiguous: mean + deviation z with z from the normal distribution, to
// about seven digits. Number j of stream.at(row, step) makes that of unit j.
template <class T>
void fill_normal(const base::RandomStream& stream, index rows, index steps, index units,
                 double mean, double deviation, T* out);

}  // namespace lstmfast::ops
