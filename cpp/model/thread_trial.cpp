#include "model/thread_trial.h"

#include <algorithm>

namespace lstmfast::model {
namespace {

using base::team::Waking;
using Clock = std::chrono::steady_clock;

constexpr double kSettledSeconds = 2;
constexpr long kNothingToChoose = 256;  // steps until the next trial where no work was shared
constexpr double kLongStep = 2e-3;      // waking threads is negligible for such a step
constexpr double kLeastGain = 1.05;     // a smaller gain is not worth the other CPUs
constexpr double kLeastStep = 1e-6;     // a coarse clock may measure 0
constexpr int kOtherWork = 64;

}  // namespace

ThreadTrial::Step::Step(ThreadTrial& trial, double work)
    : trial_(trial), timed_(trial.takes(work)), scope_(trial.waking(work)) {
  if (timed_ && trial.phase_ != Phase::settled) start_ = Clock::now();
}

ThreadTrial::Step::~Step() {
  if (!timed_) return;
  double seconds = 0;
  if (trial_.phase_ != Phase::settled) {
    seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  }
  trial_.count(seconds, scope_.asked());
}

// Whether a step of this work is compared. The work to compare is that of the first step, or of
// kOtherWork later steps in turn.
bool ThreadTrial::takes(double work) {
  if (work_ != work && (work_ == 0 || ++others_ >= kOtherWork)) {
    work_ = work;
    start();
  }
  if (work_ != work) return false;
  others_ = 0;
  return true;
}

base::team::Waking ThreadTrial::waking(double work) const {
  // If a step is faster alone, so is one of less work. Other work was not compared.
  return work == work_ || (work < work_ && waking_ == Waking::never) ? waking_ : Waking::worth;
}

void ThreadTrial::start() {
  phase_ = Phase::on_team;
  waking_ = Waking::always;
  left_ = kBlock;
}

void ThreadTrial::settle(Waking waking, long steps) {
  phase_ = Phase::settled;
  waking_ = waking;
  left_ = steps;
}

void ThreadTrial::count(double seconds, bool asked) {
  --left_;
  if (phase_ == Phase::settled) {
    if (left_ <= 0) start();
    return;
  }
  if (!asked) return settle(Waking::always, kNothingToChoose);
  if (left_ < kTimed) seconds_[static_cast<std::size_t>(left_)] = seconds;
  if (left_ > 0) return;
  std::nth_element(seconds_.begin(), seconds_.begin() + kTimed / 2, seconds_.end());
  const double median = seconds_[kTimed / 2];
  const auto steps = [](double each) {
    return static_cast<long>(kSettledSeconds / std::max(each, kLeastStep)) + kBlock;
  };
  if (phase_ == Phase::on_team) {
    if (median > kLongStep) return settle(Waking::always, steps(median));
    team_seconds_ = median;
    phase_ = Phase::alone;
    waking_ = Waking::never;
    left_ = kBlock;
  } else if (median < kLeastGain * team_seconds_) {
    settle(Waking::never, steps(median));
  } else {
    settle(Waking::always, steps(team_seconds_));
  }
}

}  // namespace lstmfast::model
