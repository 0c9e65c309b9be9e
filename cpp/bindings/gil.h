// When a call lets other Python threads run, how its own comes back, and how Ctrl-C ends it. Knows
// no call.
//
// Python ends each thread but one that wants the GIL while the interpreter exits, by pthread_exit.
// That unwinds the stack, and must meet no frame of ours: a catch (...) that does not pass it on
// aborts the process, and destructors drop references without the GIL. So functions of Python's
// that take the GIL, or run code that gives it away, are called through until_exit(), where such a
// thread waits for the end of the process. (Not so in a __del__ of what user code gives back, or
// that the garbage collector calls.)
#pragma once

#include <cxxabi.h>
#include <pybind11/pybind11.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__APPLE__)
#include <pthread.h>
#endif

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/interrupt.h"

namespace lstmfast::bindings {

namespace py = pybind11;

[[noreturn]] inline void wait_for_exit() noexcept {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// call() is a function of Python's, which throws nothing, with arguments that own nothing.
template <class F>
auto until_exit(F call) noexcept {
  try {
    return call();
#if defined(__GLIBCXX__)
  } catch (abi::__forced_unwind&) {
#else
  } catch (...) {
#endif
    wait_for_exit();
  }
}

inline void drop_until_exit(PyObject* object) noexcept {
  until_exit([object] {
    Py_XDECREF(object);
    return true;
  });
}

// What call() gives out: a new reference, or null with an error set.
template <class F>
py::object result_until_exit(F call) {
  PyObject* const result = until_exit(call);
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

// f(arguments...), in which Python code may run.
template <class... Objects>
py::object call_python(py::handle f, const Objects&... arguments) {
  return result_until_exit(
      [&] { return PyObject_CallFunctionObjArgs(f.ptr(), arguments.ptr()..., nullptr); });
}

// self.name(arguments...), likewise.
template <class... Objects>
py::object call_method(py::handle self, const char* name, const Objects&... arguments) {
  const py::str method(name);
  return result_until_exit([&] {
    return PyObject_CallMethodObjArgs(self.ptr(), method.ptr(), arguments.ptr()..., nullptr);
  });
}

// The thread, which has the GIL, gives it away while this lives.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) { innermost = this; }
  ~WithoutGil() {
    take();
    innermost = nullptr;
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  friend class WithGil;
  static inline thread_local WithoutGil* innermost = nullptr;  // null: the thread has the GIL

  void give() { state_ = PyEval_SaveThread(); }
  void take() noexcept {
    until_exit([this] {
      PyEval_RestoreThread(state_);
      return true;
    });
  }

  PyThreadState* state_;
};

// Within the life of a WithoutGil or not, the thread has the GIL while this lives.
class WithGil {
 public:
  WithGil() : given_(std::exchange(WithoutGil::innermost, nullptr)) {
    if (given_ != nullptr) given_->take();
  }
  ~WithGil() {
    if (given_ == nullptr) return;
    given_->give();
    WithoutGil::innermost = given_;
  }
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;

 private:
  const base::Uninterrupted other_;  // Python code ends by itself
  WithoutGil* given_;
};

// Whether the process began on this thread, or its fork; false where the system does not tell.
inline bool is_first_thread() noexcept {
#if defined(__linux__)
  return ::syscall(SYS_gettid) == ::getpid();
#elif defined(__APPLE__)
  return ::pthread_main_np() != 0;
#else
  return false;
#endif
}

// Throws what a signal's handler raised, KeyboardInterrupt above all. Says whether this is the
// thread on which Python runs handlers: that is the first one, unless a program has started Python
// on another. (gevent gives the main thread of `threading` another number.)
inline bool check_signals(void* = nullptr) {
  const WithGil gil;
  if (until_exit([] { return PyErr_CheckSignals(); }) != 0) throw py::error_already_set();
  if (is_first_thread()) return true;
  const py::object threading = result_until_exit([] { return PyImport_ImportModule("threading"); });
  return call_method(threading, "main_thread").attr("ident").cast<unsigned long>() ==
         PyThread_get_thread_ident();
}

// Taking the GIL back beside a busy Python thread can cost its whole switch interval (5 ms), so
// that only calls that take about 200 us and more give it away: at the 50 GFLOP/s that small calls
// reach, this many.
constexpr double kReleaseFlops = 1e7;

// Where the work is worth it, holds no GIL while it lives, and lets signals end the work.
class MaybeRelease {
 public:
  explicit MaybeRelease(double flops) {
    if (flops < kReleaseFlops) return;
    release_.emplace();
    interrupt_.emplace(&check_signals);
  }

 private:
  std::optional<WithoutGil> release_;
  std::optional<base::Interrupt> interrupt_;
};

}  // namespace lstmfast::bindings
