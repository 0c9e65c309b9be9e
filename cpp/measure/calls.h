// Timing of calls that are too short for a clock in Python.
#pragma once

#include <chrono>
#include <vector>

#include "base/plain.h"

namespace lstmfast::measure {

// Seconds of a call of call(k), k = 0, 1, 2, ..., averaged over `each` calls, of `samples` such
// runs that follow each other. The clock is read once a run, which counts.
template <class Call>
std::vector<double> time_calls(index samples, index each, const Call& call) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds(static_cast<std::size_t>(samples));
  Clock::time_point before = Clock::now();
  for (double& sample : seconds) {
    for (index i = 0; i < each; ++i) call();
    const Clock::time_point after = Clock::now();
    sample = std::chrono::duration<double>(after - before).count() / double(each);
    before = after;
  }
  return seconds;
}

}  // namespace lstmfast::measure
