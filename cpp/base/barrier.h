// A reusable barrier for the threads of one team run; must not know the steps between.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/no_copy.h"

namespace lstmfast::base {

// Spins briefly, then sleeps. What any thread wrote before wait() is seen by all after it. May live
// on the stack of the caller of the run; allocates nothing.
class alignas(64) Barrier : NoCopy {
 public:
  explicit Barrier(int n) noexcept : n_(n) { LF_ASSERT(n > 0); }

  // Returns true when all n threads of this round have called it; false, at once and from then on,
  // after abort(). A loop that cannot fail may ignore the result.
  bool wait() noexcept {
    const std::uint32_t round = round_.load(std::memory_order_acquire);
    if (aborted_.load(std::memory_order_relaxed)) return false;
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 != n_) return wait_for_others(round);
    arrived_.store(0, std::memory_order_relaxed);
    // seq_cst here and in the sleeper: either it sees the new round, or we see it in sleepers_.
    round_.store(round + 1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) wake_sleepers();
    return true;
  }

  // Releases all waiting threads for good: called by a thread that fails and will never arrive.
  void abort() noexcept;

 private:
  bool wait_for_others(std::uint32_t round) noexcept;
  void wake_sleepers() noexcept;

  // Arriving threads write one cache line, waiting threads read another, so that many waiting
  // threads do not slow arrivals.
  std::atomic<int> arrived_{0};
  const int n_;
  alignas(64) std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<bool> aborted_{false};
};

}  // namespace lstmfast::base
