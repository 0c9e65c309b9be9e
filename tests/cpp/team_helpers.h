// What the tests of the thread team share.
#pragma once

#include <atomic>
#include <vector>

#include "base/barrier.h"
#include "base/plain.h"
#include "base/split.h"
#include "base/team.h"

namespace lstmfast::base {

// Sets the limit for one test. Threads are woken for any work, however little it is.
class Threads {
 public:
  explicit Threads(int n) : before_(team::get_num_threads()) {
    team::assume_wake_seconds(0);
    team::set_num_threads(n);
  }
  ~Threads() { team::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

// Sum of 1..count by a run of up to n threads in plain memory: wrong when a part is missed.
inline index team_sum(int n, index count) {
  std::vector<index> parts(static_cast<std::size_t>(n), 0);
  const int used = team::run(n, [&](int tid, int in_force) {
    const Range r = split(count, tid, in_force);
    index sum = 0;
    for (index i = r.begin; i < r.end; ++i) sum += i + 1;
    parts[static_cast<std::size_t>(tid)] = sum;
  });
  index sum = 0;
  for (int i = 0; i < used; ++i) sum += parts[static_cast<std::size_t>(i)];
  return sum;
}

inline constexpr index kCount = 1000;
inline constexpr index kSum = kCount * (kCount + 1) / 2;

// Rounds of a barrier in which each thread reads what its neighbour wrote in the round before.
inline bool barrier_rounds(int n, int rounds) {
  std::vector<int> value(static_cast<std::size_t>(n) * 2, 0);
  std::atomic<bool> right{true};
  team::run(n, [&](int tid, int in_force, Barrier& barrier) {
    const auto at = [&](int t, int round) -> int& {
      return value[static_cast<std::size_t>((round % 2) * n + t)];
    };
    for (int round = 0; round < rounds; ++round) {
      at(tid, round) = round * 100 + tid;
      if (!barrier.wait()) right = false;
      const int other = (tid + 1) % in_force;
      if (at(other, round) != round * 100 + other) right = false;
    }
  });
  return right;
}

}  // namespace lstmfast::base
