// What this machine can do at best, measured: the limits that benchmarks compare with. Knows no
// networks.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "base/plain.h"

namespace lstmfast::measure {

// Fused multiply-adds of one thread, in FLOP/s (two a multiply-add): the best of many short runs
// within `seconds`.
template <class T>
double fma_peak(double seconds);

// Seconds that `threads` threads take to arrive and wait at a barrier, averaged over `count`; fewer
// threads take part where the team's limit is lower.
double time_barrier(int threads, index count);

// Seconds of each of `samples` loops that follow each other and last about `seconds` each. They
// read no memory, so what differs between them is caused by interrupts, the scheduler and the
// clock.
std::vector<double> time_idling(index samples, double seconds);

// Memory that is read over and over, as a step of one row reads its weights.
class Memory {
 public:
  // turns: reads up and down in turns, so that each pass begins with what the caches hold of the
  // one before; else always up.
  Memory(index bytes, bool turns);
  // Reads all of it `count` times.
  void read(index count);

 private:
  base::Buffer<float> values_;
  const bool turns_;
  bool descending_ = false;
};

}  // namespace lstmfast::measure
