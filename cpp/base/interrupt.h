// How a long call ends before it is done: loops ask at their steps or blocks whether to go on. Must
// not know what is computed, nor who wants the end.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "base/denormals.h"
#include "base/split.h"

namespace lstmfast::base {

// In force on the thread that makes it while it lives, and on the team's threads while they work
// for that one. Loops leave by an exception, on every thread the same.
class Interrupt {
 public:
  // Throws where the call shall end; false: nobody need ask again. Called on the thread of the
  // Interrupt: by look() kPeriod apart, or up to twice that where a poll takes long, with the
  // floating-point mode that the thread had at first.
  using Poll = bool (*)(void* context);

  explicit Interrupt(Poll poll, void* context = nullptr) noexcept;
  ~Interrupt() { set_current(outer_); }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // That of this thread; null: the call goes on to its end.
  static Interrupt* current() noexcept;
  static void set_current(Interrupt* interrupt) noexcept;

  // Asks, where it is time. Throws what poll threw.
  void look();

  // Asks, however short ago it did: for the thread of the Interrupt, where a signal has just ended
  // a system call.
  void look_now();

  // How many polls are running on this thread, one inside the other.
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

// While it lives, this thread's call goes on: where a half is worse than a whole, and while other
// code than the call's runs.
class Uninterrupted {
 public:
  Uninterrupted() noexcept : hidden_(Interrupt::current()) { Interrupt::set_current(nullptr); }
  ~Uninterrupted() { Interrupt::set_current(hidden_); }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  Interrupt* const hidden_;
};

// What a loop holds. Costs a comparison a round; a look at the clock for work of about 20 us.
class InterruptPoint {
 public:
  InterruptPoint() noexcept : interrupt_(Interrupt::current()) {}

  // After so many floating-point operations, or what takes as long.
  void pass(double flops) {
    if (interrupt_ == nullptr || (work_ += flops) < kFlopsPerLook) return;
    work_ = 0;
    interrupt_->look();
  }

  // f(piece) for all of `range`, in pieces of some 10 ms with pass() after each.
  template <class F>
  void in_pieces(Range range, double flops_each, F&& f) {
    const index piece =
        interrupt_ == nullptr
            ? range.size()
            : std::max(kLeastPiece, static_cast<index>(kFlopsPerPiece / (flops_each + 1)));
    for (index begin = range.begin; begin < range.end; begin += piece) {
      const Range part{begin, std::min(range.end, begin + piece)};
      f(part);
      pass(flops_each * static_cast<double>(part.size()));
    }
  }

 private:
  static constexpr double kFlopsPerLook = 1e6, kFlopsPerPiece = 5e8;
  static constexpr index kLeastPiece = 48;  // a few tiles of rows

  Interrupt* const interrupt_;
  double work_ = 0;
};

}  // namespace lstmfast::base
