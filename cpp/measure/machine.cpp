#include "measure/machine.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/team.h"
#include "kernels/table.h"

namespace lstmfast::measure {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

template <class T>
double fma_peak(double seconds) {
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

double time_barrier(int threads, index count) {
  LF_CHECK(count >= 1, "[time_barrier] count is " << count << "; expected 1 or more");
  double seconds = 0;
  base::team::run(threads, [&](int tid, int, base::Barrier& barrier) {
    barrier.wait();
    const Clock::time_point start = Clock::now();
    for (index i = 0; i < count; ++i) barrier.wait();
    if (tid == 0) seconds = std::chrono::duration<double>(Clock::now() - start).count();
  });
  return seconds / double(count);
}

template double fma_peak<float>(double);
template double fma_peak<double>(double);

}  // namespace lstmfast::measure
