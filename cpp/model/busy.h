// Says that an object is being trained, so that a second thread gets an error and not a race. Knows
// no object.
#pragma once

#include <atomic>
#include <stdexcept>
#include <string>

namespace lstmfast::model {

// Held by the calls that change training state. Throws std::runtime_error where another holds it.
class Busy {
 public:
  Busy(std::atomic<bool>& flag, const char* op) : flag_(flag) {
    if (flag.exchange(true, std::memory_order_acquire)) {
      throw std::runtime_error(std::string("[") + op +
                               "] a training call on this object is running; expected none");
    }
  }
  ~Busy() { flag_.store(false, std::memory_order_release); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace lstmfast::model
