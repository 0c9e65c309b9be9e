#include "base/interrupt.h"

#include <stdexcept>

#include "base/fork_count.h"

namespace lstmfast::base {
namespace {

thread_local Interrupt* current_interrupt = nullptr;
thread_local int running_polls = 0;

struct RunningPoll : NoCopy {
  RunningPoll() noexcept { ++running_polls; }
  ~RunningPoll() { --running_polls; }
};

}  // namespace

Interrupt* Interrupt::current() noexcept { return current_interrupt; }
void Interrupt::set_current(Interrupt* interrupt) noexcept { current_interrupt = interrupt; }
int Interrupt::polls() noexcept { return running_polls; }

Interrupt::Interrupt(Poll poll, void* context) noexcept
    : poll_(poll), context_(context), outer_(current_interrupt) {
  current_interrupt = this;
}

void Interrupt::look() {
  if (ended_.load(std::memory_order_acquire)) std::rethrow_exception(error_);
  if (std::this_thread::get_id() == owner_ && Clock::now() >= next_) ask();
}

void Interrupt::look_now() {
  if (ended_.load(std::memory_order_acquire)) std::rethrow_exception(error_);
  ask();
}

void Interrupt::ask() {
  const Clock::time_point begin = Clock::now();
  try {
    const Uninterrupted alone;
    const RunningPoll running;
    const WithFpMode mode(fp_mode_);
    const std::uint32_t forks = fork_count();
    const bool again = poll_(context_);
    const Clock::time_point end = Clock::now();
    // A poll may wait, for the GIL for instance: longer pauses keep it to a twentieth of the time.
    const Clock::duration pause =
        std::clamp<Clock::duration>(20 * (end - begin), kPeriod, 2 * kPeriod);
    next_ = again ? end + pause : Clock::time_point::max();
    if (fork_count() != forks) {
      throw std::runtime_error("the call is not continued in a child that was forked inside it");
    }
  } catch (...) {
    error_ = std::current_exception();
    ended_.store(true, std::memory_order_release);
    throw;
  }
}

}  // namespace lstmfast::base
