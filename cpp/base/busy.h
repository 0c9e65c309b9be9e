// Says which thread is changing an object, so that a second one gets an error and no data race.
// Knows no object.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/no_copy.h"

namespace lstmfast::base {

// Of one object.
class BusyFlag {
  friend class Busy;
  std::atomic<std::uint64_t> holder_{0};  // process and thread; 0: nobody
  int polls_ = 0;  // Interrupt::polls() where the lease was taken; for the holder's thread alone
};

// Held by the calls that change training state, or need it unchanged. Throws
// std::runtime_error where another holds it. A lease taken before a fork counts in the parent
// alone.
class Busy {
 public:
  enum class Kind {
    exclusive,  // next to no other lease
    // Also where the same thread holds a lease, as in a callback between two passes. Not in a poll
    // of an Interrupt, which may run in the middle of what that lease protects.
    nested,
    brief,   // exclusive, and so short that other threads wait for its end
    reading  // nested and brief
  };
  Busy(BusyFlag& flag, const char* op, Kind kind = Kind::exclusive);
  Busy(Busy&& other) noexcept : flag_(other.flag_), own_(std::exchange(other.own_, 0)) {}
  ~Busy() {
    if (own_ != 0) flag_.holder_.compare_exchange_strong(own_, 0, std::memory_order_release);
  }

 private:
  BusyFlag& flag_;
  std::uint64_t own_;  // 0: nothing to release, since a lease of the same thread holds already
};

// Several flags at once, of the objects that one call uses: all, or where it throws, none. Calls
// that take them in the same order, which sort_flags() makes, do not wait for each other in a
// circle.
class BusyGroup : NoCopy {
 public:
  BusyGroup(const std::vector<BusyFlag*>& flags, const char* op,
            Busy::Kind kind = Busy::Kind::exclusive) {
    leases_.reserve(flags.size());
    for (BusyFlag* flag : flags) leases_.emplace_back(*flag, op, kind);
  }
  ~BusyGroup();  // not inline, or GCC 12 warns of an optional one that is empty

 private:
  std::vector<Busy> leases_;
};

void sort_flags(std::vector<BusyFlag*>& flags);  // and leaves one of each

}  // namespace lstmfast::base
