// Releasing and taking the GIL, and ending a call by Ctrl-C. Knows no call.
//
// While the interpreter exits, Python ends every other thread that wants the GIL by pthread_exit.
// This unwinds the stack, which must not reach our frames: a catch (...) that does not rethrow
// aborts the process, and destructors drop references without the GIL. So functions of Python that
// take the GIL, or run code that releases it, are called through until_exit(), where such a thread
// waits for the end of the process. (Not covered: __del__ of objects that user code returns, or
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
#include "base/no_copy.h"

namespace lstmfast::bindings {

namespace py = pybind11;

[[noreturn]] inline void wait_for_exit() noexcept {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// Returns call(), a function of Python, which throws nothing, with arguments that own nothing.
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

// The result of call(), which returns a new reference, or null with an error set.
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

// Releases the GIL, which the thread must have, while it lives.
class WithoutGil : base::NoCopy {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) { innermost = this; }
  ~WithoutGil() {
    take();
    innermost = nullptr;
  }

 private:
  friend class WithGil;
  static inline thread_local WithoutGil* innermost = nullptr;  // null: the thread has the GIL

  void release() { state_ = PyEval_SaveThread(); }
  void take() noexcept {
    until_exit([this] {
      PyEval_RestoreThread(state_);
      return true;
    });
  }

  PyThreadState* state_;
};

// The thread has the GIL while this lives, also inside of a WithoutGil.
class WithGil : base::NoCopy {
 public:
  WithGil() : outer_(std::exchange(WithoutGil::innermost, nullptr)) {
    if (outer_ != nullptr) outer_->take();
  }
  ~WithGil() {
    if (outer_ == nullptr) return;
    outer_->release();
    WithoutGil::innermost = outer_;
  }

 private:
  const base::Uninterrupted uninterrupted_;  // Python code has interrupts of its own
  WithoutGil* outer_;
};

// Whether this thread is the process's first, or made its fork; false where the system cannot tell.
inline bool is_first_thread() noexcept {
#if defined(__linux__)
  return ::syscall(SYS_gettid) == ::getpid();
#elif defined(__APPLE__)
  return ::pthread_main_np() != 0;
#else
  return false;
#endif
}

// Throws what a signal's handler raised, KeyboardInterrupt above all. Returns whether Python runs
// handlers on this thread: it does on the first one, unless a program has started Python on
// another. (With gevent, the main thread of `threading` has another number.)
inline bool check_signals(void* = nullptr) {
  const WithGil gil;
  if (until_exit([] { return PyErr_CheckSignals(); }) != 0) throw py::error_already_set();
  if (is_first_thread()) return true;
  const py::object threading = result_until_exit([] { return PyImport_ImportModule("threading"); });
  return call_method(threading, "main_thread").attr("ident").cast<unsigned long>() ==
         PyThread_get_thread_ident();
}

// Taking the GIL back from a busy Python thread can cost its whole switch interval (5 ms), so only
// calls of about 200 us and more release it: at the 50 GFLOP/s that small calls reach, this many
// floating-point operations.
constexpr double kReleaseFlops = 1e7;

// f(), which needs no GIL: where `flops` is large enough, it is released meanwhile, and signals end
// the work.
template <class F>
auto may_release(double flops, F f) {
  std::optional<WithoutGil> release;
  std::optional<base::Interrupt> interrupt;
  if (flops >= kReleaseFlops) {
    release.emplace();
    interrupt.emplace(&check_signals);
  }
  return f();
}

}  // namespace lstmfast::bindings
