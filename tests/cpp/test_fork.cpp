#include <doctest/doctest.h>

#include "fork_helpers.h"

#if FORK_TESTS

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/team.h"
#include "team_helpers.h"

namespace lstmfast::base {
namespace {

// False under emulators that die of a thread started in the child of a threaded program.
bool children_may_thread() {
  team_sum(2, kCount);
  static const bool may = in_child([] {
                            std::thread([] {}).join();
                            return 0;
                          }) == 0;
  if (!may) MESSAGE("no threads after fork on this system: not tested");
  return may;
}

}  // namespace

TEST_CASE("fork: the child gets a team of its own, the parent keeps its") {
  const Threads limit(3);
  if (!children_may_thread()) return;
  REQUIRE(team_sum(3, kCount) == kSum);
  for (int round = 0; round < 10; ++round) {
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    CHECK(in_child([] {
            if (team::worker_count() != 0) return 1;
            for (int i = 0; i < 20; ++i) {
              if (team_sum(3, kCount) != kSum) return 2;
            }
            if (team::worker_count() != 2) return 3;
            return barrier_rounds(3, 100) ? 0 : 4;
          }) == 0);
    CHECK(team_sum(3, kCount) == kSum);
  }
}

TEST_CASE("fork: a child's child") {
  const Threads limit(2);
  if (!children_may_thread()) return;
  team_sum(2, kCount);
  CHECK(in_child([] {
          team_sum(2, kCount);
          return in_child([] { return team_sum(2, kCount) == kSum ? 7 : 1; });
        }) == 7);
}

TEST_CASE("exit: with workers idle, asleep or at work, and from inside a run") {
  const Threads limit(3);
  if (!children_may_thread()) return;
  for (const int pause_us : {0, 30, 1000}) {
    CHECK(in_child([&]() -> int {
            team_sum(3, kCount);
            std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
            std::exit(5);
          }) == 5);
  }
  CHECK(in_child([]() -> int {
          std::thread other([] {
            team::run(3, [](int, int) { std::this_thread::sleep_for(std::chrono::seconds(5)); });
          });
          other.detach();
          while (team::worker_count() == 0) std::this_thread::yield();
          std::exit(6);
        }) == 6);
  for (const int tid_of_exit : {0, 1}) {
    CHECK(in_child([&]() -> int {
            team::run(3, [&](int tid, int) {
              if (tid == tid_of_exit) std::exit(7);
              std::this_thread::sleep_for(std::chrono::milliseconds(20));
            });
            return 0;
          }) == 7);
  }
}

TEST_CASE("fork: while another thread is in a run") {
  const Threads limit(3);
  if (!children_may_thread()) return;
  std::atomic<bool> stop{false};
  std::thread other([&] {  // takes no memory: sanitizers' allocators do not survive a fork inside
    while (!stop) {
      std::atomic<int> parts{0};
      const int n = team::run(3, [&](int, int) { ++parts; });
      if (parts != n) std::abort();
    }
  });
  for (int round = 0; round < 20; ++round) {
    CHECK(in_child([] { return team_sum(3, kCount) == kSum && barrier_rounds(3, 50) ? 0 : 1; }) ==
          0);
  }
  stop = true;
  other.join();
}

}  // namespace lstmfast::base

#endif
