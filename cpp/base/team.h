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
#include "base/plain.h"
#include "base/split.h"
#include "base/waking.h"

namespace lstmfast::base::team {

// tid in [0, n); tid 0 is the caller's thread. The caller's floating-point mode and its Interrupt
// are in force on all threads.
using Function = void (*)(void* context, int tid, int n);

// The most threads one run may use. Until set: default_thread_count() of base/cpu_count.h, which
// throws std::invalid_argument for a malformed variable, as set does unless 1 <= n <= kMaxThreads.
int get_num_threads();
void set_num_threads(int n);

// How many threads a run asks for, and how many seconds its work takes on one thread, with that of
// runs that follow at once. The default is worth waking all threads.
struct Request {
  Request(int n, double work = 1) : threads(n), seconds(work) {}  // NOLINT: a number is a request
  int threads;
  double seconds;
};

// Seconds that a sleeping worker needs to start, from the call to its first instruction: a running
// mean of this process's own wake-ups.
double wake_seconds() noexcept;
// Replaces what is measured from now on: for tests, which want threads for any work (0).
void assume_wake_seconds(double seconds) noexcept;

// Holds the team, for callers that must know n before they lay out memory, or that run several
// phases. Other callers run alone meanwhile, so a lease should end with its work. A thread that
// forks must not use its lease in the child.
class Lease {
 public:
  explicit Lease(Request request);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // The n that functions get, fixed for the life of the lease.
  int size() const noexcept { return n_; }

  // function(context, tid, size()) once for each tid, all at once; returns when all have returned,
  // then rethrows the exception of any (the first of several). Allocates nothing. A function that
  // waits at a Barrier must not throw, or must abort() it first, as the run below does.
  void run(Function function, void* context) const;

  // f(tid, n), or f(tid, n, barrier) with a fresh Barrier of all n threads, aborted when f throws.
  template <class F>
  void run(F&& f) const;

 private:
  int n_;
  bool holds_ = false;
};

// One run. Returns the n that the function got.
template <class F>
int run(Request request, F&& f) {
  const Lease lease(request);
  lease.run(f);
  return lease.size();
}
inline int run(Request request, Function function, void* context) {
  const Lease lease(request);
  lease.run(function, context);
  return lease.size();
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

template <class F>
void Lease::run(F&& f) const {
  using Body = std::remove_reference_t<F>;
  if constexpr (std::is_invocable_v<Body&, int, int, Barrier&>) {
    struct Steps {
      Body* f;
      Barrier barrier;
    } steps{&f, Barrier(n_)};
    run(
        [](void* context, int tid, int n) {
          auto& s = *static_cast<Steps*>(context);
          try {
            (*s.f)(tid, n, s.barrier);
          } catch (...) {
            s.barrier.abort();
            throw;
          }
        },
        &steps);
  } else {
    run([](void* context, int tid, int n) { (*static_cast<Body*>(context))(tid, n); },
        const_cast<void*>(static_cast<const void*>(&f)));
  }
}

}  // namespace lstmfast::base::team
