// What it costs to wake sleeping workers, as measured by this process; must not know why they wake.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

namespace lstmfast::base {

// In seconds. Called by the owner of the team alone, except of_one().
class WakeCost {
 public:
  // From the call until the last of `workers` runs its first instruction.
  double of(int workers) const noexcept { return of_one() + (workers - 1) * call_; }
  double of_one() const noexcept { return start_.load(std::memory_order_relaxed); }

  // Adds a measurement: the caller spent `call` on waking `workers`, the last of which started
  // after `last_start`.
  void add(int workers, double call, double last_start) noexcept {
    if (assumed_) return;
    constexpr double kTimeSlice = 1e-3;  // longer waits say that all CPUs were busy, not how much
    const double start = std::clamp(last_start - (workers - 1) * call_, 0.0, kTimeSlice);
    call_ += (std::min(call / workers, kTimeSlice) - call_) / 4;
    best_ = std::min(start, best_ + (start - best_) / 64);
    store(of_one(), start, 4);
  }

  // Called where a run was not worth the cost. Nothing is measured then, so the estimate moves
  // slowly to the best times: after a busy moment of the machine, runs soon use threads again.
  void declined() noexcept { store(of_one(), best_, 128); }

  // Replaces the estimate for good: add() has no effect afterwards.
  void assume(double seconds) noexcept {
    start_.store(seconds, std::memory_order_relaxed);
    best_ = call_ = seconds;
    assumed_ = true;
  }

 private:
  void store(double before, double sample, double inertia) noexcept {
    start_.store(before + (sample - before) / inertia, std::memory_order_relaxed);
  }

  // The first values are those of an idle virtual machine.
  std::atomic<double> start_{25e-6};  // of one worker, until its first instruction
  double best_ = 25e-6;               // of start, lately
  double call_ = 8e-6;                // of start, the caller's own time: it adds up over workers
  bool assumed_ = false;
};

// What runs on their callers' threads alone would have saved by waking workers, while they follow
// each other so fast that the workers had stayed awake. Called by the owner of the team.
class MissedSavings {
 public:
  using Clock = std::chrono::steady_clock;

  // Adds a run of about `seconds` that begins now, and returns the sum since the last pause that
  // was longer than `awake`.
  double add(double saving, double seconds, std::chrono::duration<double> awake,
             Clock::time_point now = Clock::now()) noexcept {
    if (now > longest_) sum_ = 0;
    const std::chrono::duration<double> run(1.5 * seconds);  // for it is an estimate
    longest_ = now + std::chrono::duration_cast<Clock::duration>(run + awake);
    return sum_ += saving;
  }
  void clear() noexcept { sum_ = 0; }

 private:
  Clock::time_point longest_{};  // until when the next run counts as following
  double sum_ = 0;
};

}  // namespace lstmfast::base
