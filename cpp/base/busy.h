// Says which thread is changing an object, so that a second one gets an error and no data race.
// Knows no object.
#pragma once

#include <atomic>
#include <cstdint>

namespace lstmfast::base {

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
  ~Busy();
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<std::uint64_t>& holder_;
  std::uint64_t own_;  // 0: nothing to release
};

}  // namespace lstmfast::base
