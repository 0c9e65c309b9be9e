// Says which thread is changing an object, so that a second one gets an error and no data race.
// Knows no object.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/no_copy.h"

namespace lstmfast::base {

class BusyFlag;

// Held by the calls that change training state, or need it unchanged. Throws
// std::runtime_error where another holds it. A lease taken before a fork counts in the parent
// alone.
class Busy : NoCopy {
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

 private:
  BusyFlag& flag_;
  std::uint64_t own_;  // 0: nothing to release
};

class BusyFlag {
  friend class Busy;
  friend class BusyGroup;
  // Returns what to release; 0 where the lease of the same thread holds already.
  std::uint64_t take(const char* op, Busy::Kind kind);
  void release(std::uint64_t own);

  std::atomic<std::uint64_t> holder_{0};  // process and thread; 0: nobody
  int polls_ = 0;  // Interrupt::polls() where the lease was taken; for the holder's thread alone
};

// Several flags at once, of the objects that one call uses: all, or where it throws, none. Calls
// that take them in the same order, which sort_flags() makes, do not wait for each other in a
// circle.
class BusyGroup : NoCopy {
 public:
  BusyGroup(const std::vector<BusyFlag*>& flags, const char* op,
            Busy::Kind kind = Busy::Kind::exclusive);
  ~BusyGroup();

 private:
  void release();

  const std::vector<BusyFlag*>& flags_;
  std::vector<std::uint64_t> own_;
};

void sort_flags(std::vector<BusyFlag*>& flags);  // and leaves one of each

}  // namespace lstmfast::base
