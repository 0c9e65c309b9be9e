// How a long call reports and can be stopped: C function pointers, whoever stands behind them.
// Knows no model and no language.
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

// Each may be null; all answer true to stop, batch_begin after that batch. An exception that one
// throws leaves the running call, with the weights of the last whole step.
struct Callbacks {
  void* context = nullptr;
  bool (*train_begin)(void* context) = nullptr;  // all was checked: the fit is not refused any more
  bool (*epoch_begin)(void* context, index epoch) = nullptr;
  bool (*epoch_end)(void* context, index epoch, const Logs& logs) = nullptr;
  bool (*batch_begin)(void* context, index batch) = nullptr;
  bool (*batch_end)(void* context, index batch, const Logs& logs) = nullptr;
  bool (*tick)(void* context, const Progress& progress) = nullptr;  // at most 20 times a second
};

// Says when the next tick is due.
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
