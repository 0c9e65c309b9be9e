#include "ops/machine.h"

#include <algorithm>
#include <chrono>

#include "kernels/table.h"

namespace lstmfast::ops {

template <class T>
double fma_peak(double seconds) {
  using Clock = std::chrono::steady_clock;
  const kernels::Table<T>& kernel = kernels::table<T>();
  constexpr index kCount = 100000;  // some 0.2 ms: short enough to miss most interruptions
  const double flops = 2.0 * double(kCount) * kernels::kFmaChains * kernel.lanes;
  alignas(64) T sums[64];
  double best = 0;
  const Clock::time_point start = Clock::now();
  Clock::time_point before = start;
  do {
    kernel.fma_chains({kCount, sums});
    const Clock::time_point after = Clock::now();
    best = std::max(best, flops / std::chrono::duration<double>(after - before).count());
    before = after;
  } while (std::chrono::duration<double>(before - start).count() < seconds);
  return best;
}

template double fma_peak<float>(double);
template double fma_peak<double>(double);

}  // namespace lstmfast::ops
