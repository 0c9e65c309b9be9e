// Bounded busy waiting: check, pause, give up after a budget; must not know what is waited for.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace lstmfast::base {

// Tells the CPU that this is a spin loop: its other hardware thread gets the resources, and leaving
// the loop is cheap.
inline void cpu_pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" : : : "memory");  // `yield` is a no-op on most cores
#endif
}

// Checks without a pause at first: threads in step arrive within these.
inline constexpr int kChecksWithoutPause = 16;
// Checks with a pause for each reading of the clock, which costs as much as some pauses.
inline constexpr int kChecksPerClock = 32;

// Calls done() until it is true or the budget is used up, and returns which. The budget is a lower
// bound: the first kChecksPerClock checks are always made.
template <class Done>
bool spin_until(std::chrono::nanoseconds budget, Done done) noexcept {
  for (int i = 0; i < kChecksWithoutPause; ++i) {
    if (done()) return true;
  }
  std::chrono::steady_clock::time_point deadline;
  for (bool first = true;; first = false) {
    for (int i = 0; i < kChecksPerClock; ++i) {
      if (done()) return true;
      cpu_pause();
    }
    const auto now = std::chrono::steady_clock::now();
    if (first) deadline = now + budget;
    if (now >= deadline) return false;
  }
}

// As spin_until, but yields the CPU between checks.
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
// threads, a busy machine) spinning is wasted. The process has one budget, which is halved when it
// ran out and doubled when the wait ended within it.
class SpinPatience {
 public:
  template <class Done>
  bool wait(Done done) noexcept {
    const int budget = budget_ns_.load(std::memory_order_relaxed);
    const bool in_time = spin_until(std::chrono::nanoseconds(budget), done);
    if (in_time && budget < kMost) {
      budget_ns_.store(budget * 2, std::memory_order_relaxed);
    } else if (!in_time && budget > kLeast) {
      budget_ns_.store(budget / 2, std::memory_order_relaxed);
    }
    return in_time;
  }

 private:
  static constexpr int kLeast = 500;
  static constexpr int kMost = kLeast * 128;  // 64 us
  std::atomic<int> budget_ns_{kMost};
};

inline SpinPatience spin_patience;

}  // namespace lstmfast::base
