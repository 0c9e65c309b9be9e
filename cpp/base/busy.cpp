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

std::uint64_t BusyFlag::take(const char* op, Busy::Kind kind) {
  const std::uint64_t own = make_holder(kind);
  std::uint64_t holder = 0;
  while (!holder_.compare_exchange_weak(holder, own, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
    if (holder >> 32 != own >> 32) continue;  // nobody, or a thread that the fork left behind
    const bool mine = holder >> 1 == own >> 1;
    const bool nests = kind == Busy::Kind::nested || kind == Busy::Kind::reading;
    if (mine && nests && polls_ == Interrupt::polls()) return 0;
    if (mine || (holder & 1) == 0) {
      throw std::runtime_error(std::string("[") + op +
                               "] a call that changes this object is running; expected none");
    }
    std::this_thread::yield();
    holder = 0;
  }
  polls_ = Interrupt::polls();
  return own;
}

void BusyFlag::release(std::uint64_t own) {
  if (own != 0) holder_.compare_exchange_strong(own, 0, std::memory_order_release);
}

Busy::Busy(BusyFlag& flag, const char* op, Kind kind) : flag_(flag), own_(flag.take(op, kind)) {}

Busy::~Busy() { flag_.release(own_); }

BusyGroup::BusyGroup(const std::vector<BusyFlag*>& flags, const char* op, Busy::Kind kind)
    : flags_(flags) {
  own_.reserve(flags.size());
  try {
    for (BusyFlag* flag : flags) own_.push_back(flag->take(op, kind));
  } catch (...) {
    release();
    throw;
  }
}

BusyGroup::~BusyGroup() { release(); }

void BusyGroup::release() {
  for (std::size_t i = own_.size(); i-- > 0;) flags_[i]->release(own_[i]);
}

void sort_flags(std::vector<BusyFlag*>& flags) {
  std::sort(flags.begin(), flags.end(), std::less<>());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
}

}  // namespace lstmfast::base
