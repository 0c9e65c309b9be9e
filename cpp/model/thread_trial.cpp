#include "model/thread_trial.h"

#include <algorithm>

namespace lstmfast::model {
namespace {

using base::team::Waking;
using Clock = std::chrono::steady_clock;

constexpr double kSettledSeconds = 2;
constexpr long kNothingToChoose = 256;  // steps until looking again whether any work is shared
constexpr double kLongStep = 2e-3;      // a step against which waking is nothing
constexpr double kLeastGain = 1.05;     // below it, the other CPUs are left to others
constexpr int kOtherWork = 64;

}  // namespace

ThreadTrial::Step::Step(ThreadTrial& trial, double work)
    : trial_(trial), timed_(false), scope_(trial.waking_) {
  if (trial.work_ != work) {
    if (trial.work_ != 0 && ++trial.others_ < kOtherWork) return;
    trial.work_ = work;
    trial.start();
  }
  trial.others_ = 0;
  timed_ = true;
  if (trial.phase_ != Phase::settled) start_ = Clock::now();
}

ThreadTrial::Step::~Step() {
  if (!timed_) return;
  double seconds = 0;
  if (trial_.phase_ != Phase::settled) {
    seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  }
  trial_.count(seconds, scope_.asked());
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
  const auto steps = [](double each) { return static_cast<long>(kSettledSeconds / each) + kBlock; };
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
