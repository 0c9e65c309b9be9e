#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/barrier.h"
#include "base/team.h"
#include "team_helpers.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace lstmfast::base {

TEST_CASE("barrier: an exception does not leave the others at the barrier") {
  const Threads limit(4);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> released{0};
    const auto f = [&](int tid, int, Barrier& barrier) {
      for (int step = 0;; ++step) {
        if (tid == round % 4 && step == round % 5) throw std::runtime_error("step");
        if (!barrier.wait()) break;
      }
      ++released;
    };
    CHECK_THROWS_AS(team::run(4, f), std::runtime_error);
    CHECK(released == 3);
  }
}

TEST_CASE("barrier: nobody passes before all have arrived") {
  const Threads limit(5);
  for (const int n : {1, 2, 3, 5}) CHECK(barrier_rounds(n, 2000));
}

TEST_CASE("barrier: slow threads are slept for") {
  const Threads limit(3);
  std::vector<int> step(3, 0);
  std::atomic<int> wrong{0};
  team::run(3, [&](int tid, int n, Barrier& barrier) {
    for (int round = 1; round <= 9; ++round) {
      if (tid == round % n) std::this_thread::sleep_for(std::chrono::microseconds(500));
      step[static_cast<std::size_t>(tid)] = round;
      barrier.wait();
      for (const int s : step) wrong += s != round ? 1 : 0;
      barrier.wait();
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("barrier: halves of a run may have barriers of their own") {
  const Threads limit(4);
  Barrier even(2), odd(2);
  std::atomic<int> waits{0};
  team::run(4, [&](int tid, int n) {
    if (n != 4) return;
    Barrier& mine = tid % 2 == 0 ? even : odd;
    for (int step = 0; step < (tid % 2 == 0 ? 1000 : 700); ++step) mine.wait();
    ++waits;
  });
  CHECK(waits == 4);
}

#if defined(__linux__)
TEST_CASE("barrier: more threads than CPUs make progress") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof(before), &before) == 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  const Threads limit(3);
  const auto pin = [](const cpu_set_t& set) {
    team::run(3, [&](int, int) { ::sched_setaffinity(0, sizeof(set), &set); });
  };
  pin(one);
  CHECK(barrier_rounds(2, 500));
  CHECK(barrier_rounds(3, 500));
  for (int round = 0; round < 200; ++round) REQUIRE(team_sum(3, kCount) == kSum);
  pin(before);
}
#endif

}  // namespace lstmfast::base
