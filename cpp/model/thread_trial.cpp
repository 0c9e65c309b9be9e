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
    enter(Phase::on_team, Waking::always, kBlock);
  }
  if (work_ != work) return false;
  others_ = 0;
  return true;
}

base::team::Waking ThreadTrial::waking(double work) const {
  // If a step is faster alone, so is one of less work. Other work was not compared.
  return work == work_ || (work < work_ && waking_ == Waking::never) ? waking_ : Waking::worth;
}

void ThreadTrial::enter(Phase phase, Waking waking, long steps) {
  phase_ = phase;
  waking_ = waking;
  left_ = steps;
}

void ThreadTrial::count(double seconds, bool asked) {
  --left_;
  if (phase_ == Phase::settled) {
    if (left_ <= 0) enter(Phase::on_team, Waking::always, kBlock);
    return;
  }
  if (!asked) return enter(Phase::settled, Waking::always, kNothingToChoose);
  if (left_ < kTimed) seconds_[static_cast<std::size_t>(left_)] = seconds;
  if (left_ > 0) return;
  std::nth_element(seconds_.begin(), seconds_.begin() + kTimed / 2, seconds_.end());
  const double median = seconds_[kTimed / 2];
  const auto settle = [this](Waking waking, double step) {
    const double steps = kSettledSeconds / std::max(step, kLeastStep);
    enter(Phase::settled, waking, static_cast<long>(steps) + kBlock);
  };
  if (phase_ == Phase::on_team) {
    if (median > kLongStep) return settle(Waking::always, median);
    team_seconds_ = median;
    enter(Phase::alone, Waking::never, kBlock);
  } else if (median < kLeastGain * team_seconds_) {
    settle(Waking::never, median);
  } else {
    settle(Waking::always, team_seconds_);
  }
}

}  // namespace lstmfast::model
