// The process's one thread team: runs a function on n threads at once; must not know what it
// computes.
//
//   team::run(n, [&](int tid, int n) { work on split(count, tid, n) });
//   team::run(n, [&](int tid, int n, Barrier& barrier) { for each step: ...; barrier.wait(); });
//
// The function must divide its work by the n that it gets. This is smaller than the n of the
// request where the thread limit is, or where waking sleeping threads would take longer than they
// save, and 1 where the team is busy: with another caller, or with the run in which this one is
// nested. Then the function runs on the caller's thread alone. n == 1 touches no thread and no
// shared state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "base/barrier.h"
#include "base/cpu_count.h"
#include "base/no_copy.h"
#include "base/plain.h"
#include "base/split.h"
#include "base/waking.h"

namespace lstmfast::base::team {

// The most threads one run may use. Until set: default_thread_count() of base/cpu_count.h, which
// throws std::invalid_argument for a malformed variable, as set does unless 1 <= n <= kMaxThreads.
int get_num_threads();
void set_num_threads(int n);

// While it lives, the thread that made it uses no others: runs are on its own, get_num_threads() is
// 1 there.
class Alone : NoCopy {
 public:
  Alone() noexcept;
  ~Alone();

 private:
  const bool before_;
};

// How many threads a run asks for, and how many seconds its work takes on one thread, with that of
// runs that follow at once. The default is worth waking all threads.
struct Request {
  Request(int n, double work = 1) : threads(n), seconds(work) {}  // NOLINT: a number is a request
  int threads;
  double seconds;
};

// Replaces the seconds that a sleeping worker needs to start, which are measured otherwise: for
// tests, which want threads for any work (0).
void assume_wake_seconds(double seconds) noexcept;

// tid in [0, n); tid 0 is the caller's thread. The caller's floating-point mode and its Interrupt
// are in force on all threads. `barrier` is one of all n threads, aborted when the function throws.
using Function = void (*)(void* context, int tid, int n, Barrier& barrier);

// Runs the function once for each tid and returns n when all have returned, then rethrows the
// exception of any (the first of several). Allocates nothing.
int run(Request request, Function function, void* context);

// f(tid, n) or f(tid, n, barrier).
template <class F>
int run(Request request, F&& f) {
  using Body = std::remove_reference_t<F>;
  const Function call = [](void* context, int tid, int n, Barrier& barrier) {
    auto& body = *static_cast<Body*>(context);
    if constexpr (std::is_invocable_v<Body&, int, int, Barrier&>) {
      body(tid, n, barrier);
    } else {
      body(tid, n);
    }
  };
  return run(request, call, const_cast<void*>(static_cast<const void*>(&f)));
}

// f(begin, end) over shares of [0, count) that start at multiples of `grain`, on at most as many
// threads as there are grains.
template <class F>
void parallel_for(Request request, index count, index grain, F&& f) {
  if (count <= 0) return;
  const index grains = (count + grain - 1) / grain;
  request.threads = static_cast<int>(std::min<index>(request.threads, grains));
  run(request, [&](int tid, int n) {
    const Range share = split(count, tid, n, grain);
    if (!share.empty()) f(share.begin, share.end);
  });
}

// Threads that this process has started and that still live; for tests.
int worker_count() noexcept;

}  // namespace lstmfast::base::team
