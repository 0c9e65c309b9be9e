#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/buffer.h"
#include "base/denormals.h"
#include "base/plain.h"
#include "base/team.h"
#include "base/wake_cost.h"
#include "team_helpers.h"

#if defined(__linux__)
#include <signal.h>
#endif

namespace lstmfast::base {

TEST_CASE("team: every part runs once, on threads of its own") {
  const Threads limit(4);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  std::vector<int> tids;
  const int used = team::run(4, [&](int tid, int n) {
    const std::lock_guard<std::mutex> lock(mutex);
    CHECK(n == 4);
    tids.push_back(tid);
    ids.insert(std::this_thread::get_id());
  });
  CHECK(used == 4);
  CHECK(ids.size() == 4);
  CHECK(ids.count(std::this_thread::get_id()) == 1);
  std::sort(tids.begin(), tids.end());
  CHECK(tids == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("team: the plain function form") {
  const Threads limit(3);
  struct Context {
    int parts[3] = {};
  } context;
  const int used = team::run(
      3, [](void* c, int tid, int n, Barrier&) { static_cast<Context*>(c)->parts[tid] = n; },
      &context);
  CHECK(used == 3);
  CHECK(context.parts[0] == 3);
  CHECK(context.parts[2] == 3);
}

TEST_CASE("team: sleeping threads are woken for work that is worth it") {
  const Threads limit(2);
  team::run(2, [](int, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // far longer than workers look out
  team::assume_wake_seconds(1e-3);
  const auto nothing = [](int, int) {};
  CHECK(team::run({2, 1e-4}, nothing) == 1);
  {
    const team::Scope scope(team::Waking::always);
    CHECK(team::run({2, 1e-4}, nothing) == 2);
    CHECK(scope.asked());
    {
      const team::Scope inner(team::Waking::never);
      CHECK_FALSE(inner.asked());
      CHECK(team::run(2, nothing) == 1);
    }
    {
      const team::Scope idle(team::Waking::never);
    }
    CHECK(scope.asked());
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(team::run({2, 1e-4}, nothing) == 1);
  CHECK(team::run({2, 1}, nothing) == 2);
}

TEST_CASE("missed savings: of runs that follow each other, from the last longer pause on") {
  MissedSavings missed;
  const MissedSavings::Clock::time_point start = MissedSavings::Clock::now();
  const auto add = [&](int at_us) {  // runs of 100 us, which save 40
    return missed.add(40e-6, 100e-6, std::chrono::microseconds(50),
                      start + std::chrono::microseconds(at_us));
  };
  CHECK(add(0) == doctest::Approx(40e-6));
  CHECK(add(110) == doctest::Approx(80e-6));
  CHECK(add(300) == doctest::Approx(120e-6));
  CHECK(add(600) == doctest::Approx(40e-6));
  CHECK(add(700) == doctest::Approx(80e-6));
  missed.clear();
  CHECK(add(800) == doctest::Approx(40e-6));
}

TEST_CASE("wake cost: of several, a mean of what was measured, slowly forgotten where not tried") {
  WakeCost cost;
  for (int i = 0; i < 100; ++i) cost.add(3, 30e-6, 70e-6);
  CHECK(cost.of(1) == doctest::Approx(50e-6));
  CHECK(cost.of(3) == doctest::Approx(70e-6));
  for (int i = 0; i < 4; ++i) cost.add(1, 10e-6, 5);  // a busy machine
  CHECK(cost.of(1) > 500e-6);
  CHECK(cost.of(1) < 1e-3);
  for (int i = 0; i < 50; ++i) cost.declined();
  CHECK(cost.of(1) > 300e-6);
  for (int i = 0; i < 2000; ++i) cost.declined();
  CHECK(cost.of(1) < 150e-6);
  cost.assume(0);
  cost.add(1, 1, 1);
  CHECK(cost.of(9) == 0);
}

TEST_CASE("team: one thread starts no thread; the limit holds") {
  const int workers = team::worker_count();
  const auto self = std::this_thread::get_id();
  bool same = false;
  for (const int n : {1, 0, -3}) {
    CHECK(team::run(n, [&](int tid, int in_force) {
            same = std::this_thread::get_id() == self && tid == 0 && in_force == 1;
          }) == 1);
    CHECK(same);
  }
  CHECK(team::worker_count() == workers);
  const Threads limit(2);
  CHECK(team::run(64, [](int, int) {}) == 2);
  CHECK_THROWS_WITH_AS(team::set_num_threads(0), "[set_num_threads] n is 0; expected 1 to 1024",
                       std::invalid_argument);
  CHECK_THROWS_AS(team::set_num_threads(1025), std::invalid_argument);
  CHECK(team::get_num_threads() == 2);
}

TEST_CASE("team: many runs of changing size") {
  const Threads limit(6);
  for (int round = 0; round < 3000; ++round) {
    team::set_num_threads(round % 6 + 1);
    REQUIRE(team_sum(1 + round % 7, kCount) == kSum);
  }
}

TEST_CASE("team: runs after the workers fell asleep") {
  const Threads limit(3);
  for (int round = 0; round < 30; ++round) {
    std::this_thread::sleep_for(std::chrono::microseconds(round * 20));
    REQUIRE(team_sum(3, kCount) == kSum);
  }
}

TEST_CASE("team: the caller sleeps while a worker is slow") {
  const Threads limit(2);
  for (int round = 0; round < 10; ++round) {
    int done = 0;
    team::run(2, [&](int tid, int) {
      if (tid == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      done = 1;
    });
    REQUIRE(done == 1);
  }
}

TEST_CASE("team: nested runs are alone") {
  const Threads limit(3);
  std::atomic<int> inner{0};
  team::run(3, [&](int, int) {
    const int used = team::run(3, [&](int tid, int n) { inner += tid + n; });
    if (used != 1) inner += 1000;
  });
  CHECK(inner == 3);
}

TEST_CASE("team: concurrent callers all get their answer") {
  const Threads limit(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int round = 0; round < 1500; ++round) {
        if (team_sum(1 + round % 4, kCount) != kSum) ++wrong;
      }
    });
  }
  for (std::thread& t : callers) t.join();
  CHECK(wrong == 0);
}

TEST_CASE("team: a run keeps its n, and others run alone meanwhile") {
  const Threads limit(3);
  std::atomic<int> parts{0};
  int nested = 0, other = 0;
  const auto nothing = [](int, int) {};
  team::run(3, [&](int tid, int n) {
    if (tid == 0) {
      team::set_num_threads(2);
      nested = team::run(3, nothing);
      std::thread([&] { other = team::run(3, nothing); }).join();
    }
    parts += n;
  });
  CHECK(parts == 9);
  CHECK(nested == 1);
  CHECK(other == 1);
}

TEST_CASE("team: parallel_for covers the range on grains") {
  const Threads limit(4);
  std::vector<int> hits(101, 0);
  std::atomic<int> calls{0};
  team::parallel_for(4, 101, 10, [&](index begin, index end) {
    ++calls;
    if (begin % 10 != 0) calls += 100;
    for (index i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
  });
  CHECK(calls == 4);
  CHECK(std::all_of(hits.begin(), hits.end(), [](int h) { return h == 1; }));
  team::parallel_for(4, 5, 10, [&](index begin, index end) { CHECK(end - begin == 5); });
  team::parallel_for(4, 0, 10, [&](index, index) { CHECK(false); });
}

TEST_CASE("team: exceptions of any thread reach the caller after all have finished") {
  const Threads limit(4);
  for (int thrower = 0; thrower < 4; ++thrower) {
    std::atomic<int> finished{0};
    const auto f = [&](int tid, int) {
      if (tid == thrower) throw std::runtime_error("part " + std::to_string(tid));
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      ++finished;
    };
    CHECK_THROWS_WITH_AS(team::run(4, f), ("part " + std::to_string(thrower)).c_str(),
                         std::runtime_error);
    CHECK(finished == 3);
  }
  for (int round = 0; round < 200; ++round) {
    CHECK_THROWS_AS(team::run(4, [](int, int) { throw std::invalid_argument("all"); }),
                    std::invalid_argument);
  }
  CHECK_THROWS_AS(team::run(1, [](int, int) { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK(team_sum(4, kCount) == kSum);
}

TEST_CASE("team: a warm run allocates nothing from buffers and keeps its workers") {
  const Threads limit(3);
  team_sum(3, kCount);
  const std::uint64_t before = allocation_count();
  const int workers = team::worker_count();
  for (int round = 0; round < 100; ++round) team::run(3, [](int, int) {});
  CHECK(allocation_count() == before);
  CHECK(team::worker_count() == workers);
}

TEST_CASE("team: the caller's floating-point mode holds in all threads") {
  if (kFlushBits == 0) return;
  const Threads limit(3);
  const auto flushing = [] {
    std::atomic<int> count{0};
    team::run(3, [&](int, int) { count += (fp_mode() & kFlushBits) == kFlushBits ? 1 : 0; });
    return count.load();
  };
  CHECK(flushing() == 0);
  {
    const FlushDenormals flush;
    CHECK(flushing() == 3);
  }
  CHECK(flushing() == 0);
}

#if defined(__linux__)
TEST_CASE("team: workers take no signals but their own") {
  const Threads limit(2);
  std::atomic<int> blocked{0}, own_blocked{1};
  team::run(2, [&](int tid, int) {
    if (tid == 0) return;
    sigset_t set;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &set);
    blocked = ::sigismember(&set, SIGINT);
    own_blocked = ::sigismember(&set, SIGSEGV);
  });
  CHECK(blocked == 1);
  CHECK(own_blocked == 0);
}

#endif

}  // namespace lstmfast::base
