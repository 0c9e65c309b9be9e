#include <cmath>

#include "base/interrupt.h"
#include "base/rng.h"
#include "ops/orthogonal.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

// No layer and no kind of mask has this number, so draws share no stream with them.
constexpr std::uint32_t kName = 0xFFFFFFFEU;

}  // namespace

// Ratios of polynomials around 1/2 and in the tails (Wichura: Algorithm AS 241, PPND7, Applied
// Statistics 37, 1988).
double normal_quantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
           (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1.0 - p)), z;
  if (r <= 5.0) {
    r -= 1.6;
    z = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
        ((0.12021132975 * r + 0.73700164250) * r + 1.0);
  } else {
    r -= 5.0;
    z = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
        ((0.012258202635 * r + 0.24197894225) * r + 1.0);
  }
  return q < 0 ? -z : z;
}

template <class T>
void fill_normal(const base::RandomStream& stream, index rows, index steps, index units,
                 double mean, double deviation, T* out) {
  const base::PhiloxKey key = stream.key();
  const index blocks = (units + 3) / 4;  // of a step
  for_shares(rows * steps * blocks, kMathGrain / 16, [&](index begin, index end) {
    base::InterruptPoint point;
    for (index b = begin; b < end; ++b) {
      point.pass(2e3);  // four numbers take some 20 ns
      const auto place = static_cast<std::uint64_t>(b % blocks);
      const index line = b / blocks, first = 4 * (b % blocks);
      const base::PhiloxBlock bits = base::philox4x32(
          {static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place >> 32),
           static_cast<std::uint32_t>(line / steps), static_cast<std::uint32_t>(line % steps)},
          key);
      for (index i = first; i < std::min(units, first + 4); ++i) {
        // the middle of one of 2^32 intervals, so neither 0 nor 1
        const double z = normal_quantile((bits[static_cast<std::size_t>(i % 4)] + 0.5) * 0x1p-32);
        out[line * units + i] = static_cast<T>(mean + deviation * z);
      }
    }
  });
}

template <class T>
void draw_normal(index count, std::uint64_t seed, T* out) {
  fill_normal(base::RandomStream(seed, kName, kName, 0), 1, 1, count, 0.0, 1.0, out);
}

#define LF_INSTANTIATE(T)                                 \
  template void draw_normal<T>(index, std::uint64_t, T*); \
  template void fill_normal(const base::RandomStream&, index, index, index, double, double, T*);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
