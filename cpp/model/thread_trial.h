// Determines whether a training step is faster on the thread team or on the caller's thread alone,
// by timing both: the costs of waking a thread and of moving data between caches differ by a factor
// of ten between machines, and no bits depend on the choice. Knows no layers.
#pragma once

#include <array>
#include <chrono>

#include "base/no_copy.h"
#include "base/team.h"

namespace lstmfast::model {

// Runs a few steps on the team, a few alone, and then the faster way for some seconds. Then repeats
// the trial, since the load of the machine may have changed.
class ThreadTrial {
 public:
  // Lives as long as one training step. work: samples times their size; only steps of equal work
  // are compared.
  class Step : base::NoCopy {
   public:
    Step(ThreadTrial& trial, double work);
    ~Step();

   private:
    ThreadTrial& trial_;
    bool timed_;
    base::team::Scope scope_;
    std::chrono::steady_clock::time_point start_;
  };

  // How the next step uses threads.
  base::team::Waking waking() const { return waking_; }
  // Records a step's time, and whether it asked for threads.
  void count(double seconds, bool asked);

 private:
  bool takes(double work);
  base::team::Waking waking(double work) const;

  enum class Phase { on_team, alone, settled };
  static constexpr int kBlock = 8, kTimed = 5;  // steps of a phase; the last kTimed are timed

  void enter(Phase phase, base::team::Waking waking, long steps);

  Phase phase_ = Phase::on_team;
  base::team::Waking waking_ = base::team::Waking::always;
  long left_ = kBlock;  // steps of this phase
  double work_ = 0;
  int others_ = 0;  // steps of other work since the last step of work_
  double team_seconds_ = 0;
  std::array<double, kTimed> seconds_{};
};

}  // namespace lstmfast::model
