#include "base/busy.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/fork_count.h"
#include "base/interrupt.h"

namespace lstmfast::base {
namespace {

// 32 bits of process, never 0, 31 of thread, and whether the lease is brief.
std::uint64_t make_holder(Busy::Kind kind) {
  static std::atomic<std::uint32_t> threads{0};
  thread_local const std::uint32_t thread = ++threads << 1;
  return (std::uint64_t{1} + fork_count()) << 32 | thread |
         (kind == Busy::Kind::brief || kind == Busy::Kind::reading ? 1U : 0U);
}

}  // namespace

Busy::Busy(BusyFlag& flag, const char* op, Kind kind) : flag_(flag), own_(make_holder(kind)) {
  std::uint64_t holder = 0;
  while (!flag.holder_.compare_exchange_weak(holder, own_, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
    if (holder >> 32 != own_ >> 32) continue;  // nobody, or a thread that the fork left behind
    const bool mine = holder >> 1 == own_ >> 1;
    const bool nests = kind == Kind::nested || kind == Kind::reading;
    if (mine && nests && flag.polls_ == Interrupt::polls()) {
      own_ = 0;
      return;
    }
    if (mine || (holder & 1) == 0) {
      throw std::runtime_error(std::string("[") + op +
                               "] a call that changes this object is running; expected none");
    }
    std::this_thread::yield();
    holder = 0;
  }
  flag.polls_ = Interrupt::polls();
}

BusyGroup::~BusyGroup() = default;

void sort_flags(std::vector<BusyFlag*>& flags) {
  std::sort(flags.begin(), flags.end(), std::less<>());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
}

}  // namespace lstmfast::base
