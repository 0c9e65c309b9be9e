#include <doctest/doctest.h>

#include "base/team.h"
#include "model/thread_trial.h"
#include "team_helpers.h"

namespace lstmfast::model {

using base::team::Waking;

// Counts steps that take so long on the team and alone, until the trial has settled.
Waking settled(ThreadTrial& trial, double on_team, double alone) {
  for (int i = 0; i < 16; ++i) {
    const bool team = trial.waking() == Waking::always;
    CHECK(team == (i < 8));
    trial.count(team ? on_team : alone, true);
  }
  return trial.waking();
}

TEST_CASE("thread trial: the faster way stays, and is tried again some seconds later") {
  ThreadTrial trial;
  CHECK(settled(trial, 100e-6, 60e-6) == Waking::never);
  int steps = 0;
  for (; trial.waking() == Waking::never; ++steps) trial.count(0, true);
  CHECK(steps * 60e-6 == doctest::Approx(2).epsilon(0.01));
  CHECK(settled(trial, 60e-6, 100e-6) == Waking::always);
}

TEST_CASE("thread trial: a small gain leaves the other CPUs to others") {
  ThreadTrial trial;
  CHECK(settled(trial, 98e-6, 100e-6) == Waking::never);
}

TEST_CASE("thread trial: one slow step decides nothing") {
  ThreadTrial trial;
  for (int i = 0; i < 16; ++i) trial.count(i == 6 ? 1.0 : i < 8 ? 50e-6 : 90e-6, true);
  CHECK(trial.waking() == Waking::always);
}

TEST_CASE("thread trial: long steps are not run alone to see how much longer they take") {
  ThreadTrial trial;
  for (int i = 0; i < 100; ++i) {
    trial.count(0.1, true);
    CHECK(trial.waking() == Waking::always);
  }
}

TEST_CASE("thread trial: steps that share nothing are not timed") {
  ThreadTrial trial;
  for (int i = 0; i < 1000; ++i) {
    trial.count(1e-6, false);
    CHECK(trial.waking() == Waking::always);
  }
}

TEST_CASE("thread trial: a step runs as the trial says, and other work does not count") {
  const base::Threads limit(2);
  ThreadTrial trial;
  const auto step = [&](double work) {
    const ThreadTrial::Step running(trial, work);
    return base::team::run(2, [](int, int) {});
  };
  CHECK(step(1) == 2);
  for (int i = 1; i < 8; ++i) trial.count(50e-6, true);
  CHECK(step(1) == 1);
  CHECK(step(0.5) == 1);  // the shorter batch at the end of an epoch: alone, too, but not counted
  CHECK(step(2) == 2);    // of a longer one the trial says nothing
  for (int i = 1; i < 7; ++i) trial.count(60e-6, true);
  CHECK(trial.waking() == Waking::never);
  trial.count(60e-6, true);
  CHECK(trial.waking() == Waking::always);
  CHECK(step(1) == 2);
  CHECK(base::team::run(2, [](int, int) {}) == 2);  // no step
  for (int i = 0; i < 8; ++i) trial.count(50e-6, true);
  for (int i = 0; i < 64; ++i) step(3);  // now this is the work
  CHECK(trial.waking() == Waking::always);
}

}  // namespace lstmfast::model
