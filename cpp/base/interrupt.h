// Ends a long call early: loops ask at their steps or blocks whether to go on. Must not know what
// is computed, nor who ends it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "base/denormals.h"
#include "base/no_copy.h"
#include "base/split.h"

namespace lstmfast::base {

// In force, while it lives, on the thread that makes it, and on the team's threads while they work
// for that thread. Loops end by an exception, the same on every thread.
class Interrupt : NoCopy {
 public:
  // Throws to end the call; returns false where it need not be called again. look() calls it on the
  // thread of the Interrupt, every kPeriod, or up to twice that where a poll takes long, with the
  // floating-point mode that the thread had when the Interrupt was made.
  using Poll = bool (*)(void* context);

  explicit Interrupt(Poll poll, void* context = nullptr) noexcept;
  ~Interrupt() { set_current(outer_); }

  // The Interrupt in force on this thread; null: calls run to their end.
  static Interrupt* current() noexcept;
  static void set_current(Interrupt* interrupt) noexcept;

  // Polls, where it is time. Throws what a poll threw, on the team's threads too.
  void look();

  // Polls at once: for the thread of the Interrupt, after a signal has ended a system call.
  void look_now();

  // How many polls are running on this thread, nested.
  static int polls() noexcept;

  static constexpr std::chrono::milliseconds kPeriod{50};

 private:
  using Clock = std::chrono::steady_clock;

  void ask();

  const Poll poll_;
  void* const context_;
  Interrupt* const outer_;
  const std::thread::id owner_ = std::this_thread::get_id();
  const FpMode fp_mode_ = base::fp_mode();
  Clock::time_point next_ = Clock::now() + kPeriod;
  std::exception_ptr error_;  // written before ended_
  std::atomic<bool> ended_{false};
};

// While it lives, no Interrupt is in force on this thread: for work that must not stop halfway, and
// for code of the caller's.
class Uninterrupted : NoCopy {
 public:
  Uninterrupted() noexcept : hidden_(Interrupt::current()) { Interrupt::set_current(nullptr); }
  ~Uninterrupted() { Interrupt::set_current(hidden_); }

 private:
  Interrupt* const hidden_;
};

// Held by a loop. pass() costs a comparison, and reads the clock once for work of about 20 us.
class InterruptPoint {
 public:
  InterruptPoint() noexcept : interrupt_(Interrupt::current()) {}

  // Called after so many floating-point operations, or work that takes as long.
  void pass(double flops) {
    if (interrupt_ == nullptr || (work_ += flops) < kFlopsPerLook) return;
    work_ = 0;
    interrupt_->look();
  }

  // f(block) for all of `range`, in blocks of some 10 ms with pass() after each.
  template <class F>
  void in_blocks(Range range, double flops_each, F&& f) {
    const index size =
        interrupt_ == nullptr
            ? range.size()
            : std::max(kLeastBlock, static_cast<index>(kFlopsPerBlock / (flops_each + 1)));
    for (index begin = range.begin; begin < range.end; begin += size) {
      const Range block{begin, std::min(range.end, begin + size)};
      f(block);
      pass(flops_each * static_cast<double>(block.size()));
    }
  }

 private:
  static constexpr double kFlopsPerLook = 1e6, kFlopsPerBlock = 5e8;
  static constexpr index kLeastBlock = 48;  // a few tiles of rows

  Interrupt* const interrupt_;
  double work_ = 0;
};

}  // namespace lstmfast::base
