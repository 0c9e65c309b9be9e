// What this machine can do at best, measured: the yardstick of the benchmarks. Knows no networks.
#pragma once

namespace lstmfast::ops {

// Fused multiply-adds of one thread, in FLOP/s (two a multiply-add): the best of many short runs
// within `seconds`.
template <class T>
double fma_peak(double seconds);

}  // namespace lstmfast::ops
