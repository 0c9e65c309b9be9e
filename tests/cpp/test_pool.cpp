#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "fork_helpers.h"
#include "model/pool.h"
#include "model/shared.h"

namespace lstmfast::model {
namespace {

struct Counted {
  static inline std::atomic<int> alive{0};
  Counted() { ++alive; }
  ~Counted() { --alive; }
};

using Lease = Pool<Counted>::Lease;

void take_at_once(Pool<Counted>& pool, int count) {
  std::vector<std::unique_ptr<Lease>> leases;
  for (int i = 0; i < count; ++i) leases.push_back(std::make_unique<Lease>(pool));
}

}  // namespace

TEST_CASE("pool: a caller alone gets the same memory, callers at once one each") {
  Pool<Counted> pool([] { return std::make_unique<Counted>(); });
  const Counted* first;
  {
    Lease a(pool);
    first = &*a;
  }
  Lease a(pool);
  CHECK(&*a == first);
  Lease b(pool);
  CHECK(&*b != first);
  CHECK(Counted::alive == 2);
}

TEST_CASE("pool: memories that no call has needed for two windows are freed") {
  Pool<Counted> pool([] { return std::make_unique<Counted>(); });
  const int window = static_cast<int>(Pool<Counted>::kWindow);
  take_at_once(pool, 8);
  CHECK(Counted::alive == 8);
  for (int i = 0; i < window - 8; ++i) take_at_once(pool, 1);
  CHECK(Counted::alive == 8);
  for (int i = 0; i < 2 * window + 8; ++i) take_at_once(pool, 1);
  CHECK(Counted::alive == 1);
  for (int i = 0; i < 2 * window; ++i) take_at_once(pool, i % 100 == 0 ? 2 : 1);
  CHECK(Counted::alive == 2);
}

TEST_CASE("pool: clear frees what no call has") {
  Pool<Counted> pool([] { return std::make_unique<Counted>(); });
  std::optional<Lease> held;
  held.emplace(pool);
  take_at_once(pool, 3);
  CHECK(Counted::alive == 4);
  pool.clear();
  CHECK(Counted::alive == 1);
  held.reset();
  CHECK(Counted::alive == 1);
}

TEST_CASE("shared: what was held comes back, and readers keep what they took") {
  Shared<int> shared;
  CHECK(!shared.get());
  CHECK(!shared.exchange(std::make_shared<int>(1)));
  const std::shared_ptr<int> reader = shared.get();
  CHECK(*shared.exchange(std::make_shared<int>(2)) == 1);
  CHECK(*reader == 1);
  CHECK(*shared.get() == 2);
}

#if FORK_TESTS

TEST_CASE("pool: a child of a fork during a call has one of its own") {
  std::atomic<int> making{0};
  std::atomic<bool> go_on{false};
  Pool<Counted> pool([&] {
    if (++making == 2) {  // with the pool's lock held
      while (!go_on) std::this_thread::yield();
    }
    return std::make_unique<Counted>();
  });
  std::optional<Lease> held;
  held.emplace(pool);
  std::thread other([&] { take_at_once(pool, 1); });
  while (making != 2) std::this_thread::yield();
  CHECK(in_child([&] {
          const int before = Counted::alive;
          take_at_once(pool, 2);
          if (Counted::alive != before + 2) return 1;
          held.reset();  // taken from the parent's pool, so it does not come into this one
          if (Counted::alive != before + 1) return 2;
          take_at_once(pool, 2);
          return Counted::alive == before + 1 ? 0 : 3;
        }) == 0);
  go_on = true;
  other.join();
}

#endif

}  // namespace lstmfast::model
