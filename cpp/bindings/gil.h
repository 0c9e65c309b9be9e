// When a call lets other Python threads run. Knows no call.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

namespace lstmfast::bindings {

namespace py = pybind11;

// Taking the GIL back beside a busy Python thread can cost its whole switch interval (5 ms), so
// that only calls that take about 200 us and more give it away: at the 50 GFLOP/s that small calls
// reach, this many.
constexpr double kReleaseFlops = 1e7;

// Holds no GIL while it lives, where the work is worth it.
class MaybeRelease {
 public:
  explicit MaybeRelease(double flops) {
    if (flops >= kReleaseFlops) release_.emplace();
  }

 private:
  std::optional<py::gil_scoped_release> release_;
};

}  // namespace lstmfast::bindings
