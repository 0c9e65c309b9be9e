// Bounded busy waiting: look, pause, give up after a budget; must not know what is waited for.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace lstmfast::base {

// Tells the core that this is a spin loop: the sibling thread gets its resources, leaving is cheap.
inline void cpu_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(_MSC_VER) && defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" : : : "memory");  // `yield` is a no-op on most cores
#endif
}

// Looks without a pause first: a partner in step with us arrives within these.
inline constexpr int kBareLooks = 16;
// Then with pauses; the clock costs as much as some of them, so it is read once a batch.
inline constexpr int kLooksPerClock = 32;

// done() is called until it is true or the budget is used up; says which. The budget is a lower
// bound of patience, not a promise: the first batch is looked through whatever it is.
template <class Done>
bool spin_until(std::chrono::nanoseconds budget, Done done) noexcept {
  for (int i = 0; i < kBareLooks; ++i) {
    if (done()) return true;
  }
  std::chrono::steady_clock::time_point deadline;
  for (bool first = true;; first = false) {
    for (int i = 0; i < kLooksPerClock; ++i) {
      if (done()) return true;
      cpu_pause();
    }
    const auto now = std::chrono::steady_clock::now();
    if (first) deadline = now + budget;
    if (now >= deadline) return false;
  }
}

// As spin_until, but gives the CPU away between looks.
template <class Done>
bool yield_until(std::chrono::nanoseconds budget, Done done) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + budget;
  do {
    std::this_thread::yield();
    if (done()) return true;
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

// How long threads in step wait for each other before they sleep. Sleeping and waking costs 5 to 50
// us, so up to that much spinning is worth it; but when the partner has no CPU (fewer CPUs than
// threads, a busy machine) all of it is waste. One budget for the process: halved when it ran out,
// doubled when it served.
class SpinPatience {
 public:
  template <class Done>
  bool wait(Done done) noexcept {
    const int budget = budget_ns_.load(std::memory_order_relaxed);
    const bool met = spin_until(std::chrono::nanoseconds(budget), done);
    if (met && budget < kMost) {
      budget_ns_.store(budget * 2, std::memory_order_relaxed);
    } else if (!met && budget > kLeast) {
      budget_ns_.store(budget / 2, std::memory_order_relaxed);
    }
    return met;
  }

 private:
  static constexpr int kLeast = 500;
  static constexpr int kMost = kLeast * 128;  // 64 us
  std::atomic<int> budget_ns_{kMost};
};

SpinPatience& spin_patience() noexcept;

}  // namespace lstmfast::base
