// When a call lets other Python threads run, and how its own comes back. Knows no call.
//
// Once the interpreter exits, Python ends each other thread that wants the GIL by pthread_exit,
// whose unwinding no frame with a destructor or a catch (...) of ours survives: it would end in
// std::terminate; and later there is no GIL. Such a thread waits for the end of the process
// instead.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>
#include <thread>

namespace lstmfast::bindings {

namespace py = pybind11;

[[noreturn]] inline void wait_for_exit() noexcept {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// take() is a function of Python's, which throws nothing.
template <class F>
auto taken(F take) noexcept {
  if (Py_IsInitialized() == 0) wait_for_exit();
  try {
    return take();
  } catch (...) {  // it has begun to exit since
    wait_for_exit();
  }
}

// The thread gives the GIL away while this lives.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() {
    taken([this] {
      PyEval_RestoreThread(state_);
      return true;
    });
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* state_;
};

// The thread has the GIL while this lives, whether it had it before or not.
class WithGil {
 public:
  WithGil() : state_(taken([] { return PyGILState_Ensure(); })) {}
  ~WithGil() {
    if (PyGILState_Check() == 0) wait_for_exit();  // Python code that was called met the exit
    PyGILState_Release(state_);
  }
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;

 private:
  PyGILState_STATE state_;
};

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
  std::optional<WithoutGil> release_;
};

}  // namespace lstmfast::bindings
