// Callbacks by which a long call reports and can be stopped, as C function pointers. Knows no model
// and no language.
#pragma once

#include <chrono>
#include <string>

#include "base/plain.h"

namespace lstmfast::model {

// Numbers of an epoch or a batch. Valid during the call only.
struct Logs {
  const std::string* names;
  const double* values;
  index count;
};

struct Progress {
  index epoch, batch, batches;  // of `batches`, `batch` are done
  Logs logs;                    // means over the epoch so far
};

// Each may be null. Each returns true to stop the call; after a true of batch_begin the batch is
// still run. An exception from one ends the call, with the weights of the last complete step.
struct Callbacks {
  void* context = nullptr;
  bool (*train_begin)(void* context) = nullptr;  // after all checks: the fit will run
  bool (*epoch_begin)(void* context, index epoch) = nullptr;
  bool (*epoch_end)(void* context, index epoch, const Logs& logs) = nullptr;
  bool (*batch_begin)(void* context, index batch) = nullptr;
  bool (*batch_end)(void* context, index batch, const Logs& logs) = nullptr;
  bool (*tick)(void* context, const Progress& progress) = nullptr;  // at most 20 times a second
};

// The clock of ticks.
class TickClock {
 public:
  TickClock() : next_(Clock::now() + kPeriod) {}
  bool due() {
    const Clock::time_point now = Clock::now();
    if (now < next_) return false;
    next_ = now + kPeriod;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kPeriod{50};
  Clock::time_point next_;
};

}  // namespace lstmfast::model
