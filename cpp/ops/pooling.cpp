#include "ops/pooling.h"

#include <algorithm>

#include "kernels/table.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

template <class T>
kernels::Pool<T> sample_of(kernels::Pool<T> pool, index b) {
  const index positions = pool.y.size * pool.x.size;
  pool.in += b * positions * pool.channels;
  pool.out += b * pool.y.count * pool.x.count * pool.channels;
  if (pool.mask) pool.mask += b * positions;
  return pool;
}

// Elements that are read for one line of windows.
template <class T>
index work_of(const kernels::Pool<T>& pool) {
  return pool.x.count * pool.x.taps * pool.y.taps * pool.channels;
}

}  // namespace

template <class T>
void pool(const kernels::Pool<T>& one, index batch) {
  const index lines = one.y.count;
  for_items(batch * lines, work_of(one), [&](index begin, index end) {
    for (index line = begin; line < end;) {
      kernels::Pool<T> part = sample_of(one, line / lines);
      part.line0 = line % lines;
      part.line1 = std::min(lines, part.line0 + end - line);
      kernels::table<T>().pool(part);
      line += part.line1 - part.line0;
    }
  });
}

template <class T>
void pool_backward(const kernels::PoolBackward<T>& one, index batch) {
  const kernels::Pool<T>& all = one.forward;
  const index size = all.y.size * all.x.size * all.channels;
  const index windows = all.y.count * all.x.count * all.channels;
  for_items(batch, work_of(all) * all.y.count, [&](index begin, index end) {
    for (index b = begin; b < end; ++b) {
      T* const din = one.din + b * size;
      std::fill_n(din, size, T(0));
      kernels::table<T>().pool_backward({sample_of(all, b), one.dout + b * windows, din});
    }
  });
}

#define LF_INSTANTIATE(T)                             \
  template void pool(const kernels::Pool<T>&, index); \
  template void pool_backward(const kernels::PoolBackward<T>&, index);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
