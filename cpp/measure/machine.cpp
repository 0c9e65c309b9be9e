#include "measure/machine.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/team.h"
#include "kernels/table.h"
#include "measure/calls.h"

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

std::vector<double> time_idling(index samples, double seconds) {
  LF_CHECK(samples >= 1 && seconds > 0, "[time_idling] samples and seconds are "
                                            << samples << " and " << seconds
                                            << "; expected 1 or more, and more than 0");
  alignas(64) float sums[64];
  const auto idle = [&](index rounds) { kernels::table<float>().fma_chains({rounds, sums}); };
  constexpr index kRounds = 100000;
  const double round = time_calls(1, 1, [&] { idle(kRounds); })[0] / double(kRounds);
  const index rounds = std::max<index>(1, static_cast<index>(seconds / round));
  return time_calls(samples, 1, [&] { idle(rounds); });
}

Memory::Memory(index bytes, bool turns) : turns_(turns) {
  LF_CHECK(bytes >= 4, "[Memory] bytes is " << bytes << "; expected 4 or more");
  values_.resize(bytes / index(sizeof(float)));
}

void Memory::read(index count) {
  constexpr index kBlock = 4096;  // values, about a panel of weights
  alignas(64) float sums[64];
  const index size = values_.size(), blocks = (size + kBlock - 1) / kBlock;
  for (index i = 0; i < count; ++i, descending_ = turns_ && !descending_) {
    for (index k = 0; k < blocks; ++k) {
      const index first = kBlock * (descending_ ? blocks - 1 - k : k);
      kernels::table<float>().read_once(
          {std::min(kBlock, size - first), values_.data() + first, sums});
    }
  }
}

template double fma_peak<float>(double);
template double fma_peak<double>(double);

}  // namespace lstmfast::measure
