// What this machine can do at best, measured: the limits that benchmarks compare with. Knows no
// networks.
#pragma once

#include "base/plain.h"

namespace lstmfast::measure {

// Fused multiply-adds of one thread, in FLOP/s (two a multiply-add): the best of many short runs
// within `seconds`.
template <class T>
double fma_peak(double seconds);

// Seconds that `threads` threads take to arrive and wait at a barrier, averaged over `count`; fewer
// threads take part where the team's limit is lower.
double time_barrier(int threads, index count);

}  // namespace lstmfast::measure
