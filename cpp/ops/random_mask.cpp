#include "ops/random_mask.h"

#include <algorithm>

#include "base/check.h"
#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/vector.h"

namespace lstmfast::ops {

template <class T>
kernels::RandomMask<T> random_rows(const base::RandomStream& stream, const MaskValues<T>& values) {
  LF_CHECK(values.rate >= 0 && values.rate <= 1,
           "[random_mask] rate is " << values.rate << "; expected 0 to 1");
  const base::PhiloxKey key = stream.key();
  kernels::RandomMask<T> rows = {};
  rows.key[0] = key[0];
  rows.key[1] = key[1];
  // Compared as integers, so that no floating-point mode matters.
  rows.drop_below = static_cast<std::uint64_t>(values.rate * 0x1p32);
  rows.dropped = values.dropped;
  rows.kept = values.kept;
  return rows;
}

template <class T>
void fill_random_mask(const base::RandomStream& stream, const MaskValues<T>& values,
                      const MaskBlock<T>& block) {
  const auto& table = kernels::table<T>();
  kernels::RandomMask<T> mask = random_rows(stream, values);
  mask.units = block.units;
  mask.stride = block.row_stride;
  mask.padded = block.padded;

  const index grain = std::max<index>(1, kStreamGrain / std::max<index>(1, block.units));
  for_shares(block.steps * block.rows, grain, [&](index begin, index end) {
    kernels::RandomMask<T> part = mask;
    base::InterruptPoint point;
    for (index at = begin; at < end; at += part.rows) {
      const index t = at / block.rows, r = at % block.rows;
      part.rows = std::min(block.rows - r, end - at);
      part.time = block.first_time + t;
      part.row_numbers = block.row_numbers ? block.row_numbers + r : nullptr;
      part.first_row = r;
      part.mask = block.mask + r * block.row_stride + t * block.step_stride;
      table.random_mask(part);
      point.pass(kFlopsOfDraw * double(part.rows * block.units));
    }
  });
}

template decltype(random_rows<float>) random_rows<float>;
template decltype(random_rows<double>) random_rows<double>;
template decltype(fill_random_mask<float>) fill_random_mask<float>;
template decltype(fill_random_mask<double>) fill_random_mask<double>;

}  // namespace lstmfast::ops
