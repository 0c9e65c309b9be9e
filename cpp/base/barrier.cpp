#include "base/barrier.h"

#include "base/park.h"
#include "base/spin.h"

namespace lstmfast::base {

namespace {

// How long a thread whose spin budget ran out yields before it sleeps. Threads that wait for its
// CPU get it at once; and as all stay runnable, the scheduler sees that the CPU has too many
// threads and moves some to others, which it never does for threads that wake each other in turn.
constexpr std::chrono::microseconds kYield{500};

}  // namespace

bool Barrier::wait_for_others(std::uint32_t round) noexcept {
  const auto moved_on = [&] { return round_.load(std::memory_order_acquire) != round; };
  if (!spin_patience.wait(moved_on) && !yield_until(kYield, moved_on)) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (round_.load(std::memory_order_seq_cst) == round) park(round_, round);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }
  return !aborted_.load(std::memory_order_relaxed);
}

void Barrier::wake_sleepers() noexcept { unpark_all(round_); }

// aborted_ first: whoever reads the new round sees it. A thread that read the old round leaves
// because the round changed; the last arrival of that round stores the same value or a later one.
void Barrier::abort() noexcept {
  aborted_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_seq_cst);
  wake_sleepers();
}

}  // namespace lstmfast::base
