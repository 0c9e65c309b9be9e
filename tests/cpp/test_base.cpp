#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/check.h"
#include "base/denormals.h"
#include "base/plain.h"
#include "base/shape_text.h"
#include "base/split.h"

// Sanitizers end the program where the system would refuse memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REFUSAL_TESTS 0
#elif defined(__has_feature)
#define REFUSAL_TESTS !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define REFUSAL_TESTS 1
#endif

namespace lstmfast::base {
namespace {

// A value the compiler cannot fold.
template <class T>
T opaque(T value) {
  volatile T v = value;
  return v;
}

std::string message_of_failed_check(int got) {
  try {
    LF_CHECK(got == 40, "[op.name] argument has shape " << shape_text({{"T", 12}, {"I", got}})
                                                        << "; expected I=" << 40);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("check: builds the message on failure only") {
  CHECK(message_of_failed_check(40).empty());
  CHECK(message_of_failed_check(39) == "[op.name] argument has shape (T=12, I=39); expected I=40");
  int built = 0;
  const auto part = [&] { return ++built; };
  LF_CHECK(built == 0, part());
  CHECK(built == 0);
  CHECK_THROWS_AS(LF_FAIL("n is " << part()), std::invalid_argument);
  CHECK(built == 1);
  if (built == 1)
    LF_CHECK(true, "");
  else
    CHECK(false);  // one statement, whatever is around it
}

TEST_CASE("shape text") {
  CHECK(shape_text({{"T", 12}, {"B", 8}, {"I", 40}}) == "(T=12, B=8, I=40)");
  CHECK(shape_text({{"H", 3}}) == "(H=3)");
  CHECK(shape_text({{"T", -1}, {"I", 0}}) == "(T=?, I=0)");
  const index sizes[] = {12, -1, 40};
  CHECK(shape_text(sizes, 3) == "(12, ?, 40)");
  CHECK(shape_text(sizes, 1) == "(12,)");
  CHECK(shape_text(sizes, 0) == "()");
}

TEST_CASE("buffer: aligned, zeroed, one owner") {
  Buffer<float> empty;
  CHECK(empty.data() == nullptr);
  CHECK(Buffer<float>(0).data() == nullptr);
  for (const index count : {1, 7, 1000, (5 << 20) + 3}) {
    Buffer<float> b(count);
    CHECK(b.size() == count);
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % kBufferAlignment == 0);
    float* const p = b.data();
    CHECK(std::all_of(p, p + count, [](float v) { return v == 0; }));
    std::fill_n(p, count, 1.0F);
    Buffer<float> moved(std::move(b));
    CHECK(moved.data() == p);
    CHECK(moved[count - 1] == 1);
    CHECK(b.data() == nullptr);  // NOLINT: what a move leaves behind is promised
    CHECK(b.size() == 0);
    Buffer<float> target(3);
    target = std::move(moved);
    CHECK(target.data() == p);
    CHECK(moved.data() == nullptr);
    Buffer<float>& self = target;
    target = std::move(self);
    CHECK(target.data() == p);
  }
}

TEST_CASE("buffer: resize zeroes, reserve keeps, warm memory is not asked for again") {
  Buffer<double> b(10);
  b[3] = 1;
  const std::uint64_t before = allocation_count();
  b.reserve(10);
  CHECK(b[3] == 1);
  b.reserve(4);
  CHECK(b.size() == 10);
  b.resize(5);
  CHECK(b.size() == 5);
  CHECK(b[3] == 0);
  b.resize(10);
  b.zero();
  b.resize(0);
  CHECK(b.size() == 0);
  b.resize(10);
  CHECK(allocation_count() == before);
  b.reserve(11);
  CHECK(b.size() == 11);
  CHECK(allocation_count() == before + 1);
}

TEST_CASE("buffer: impossible sizes throw and leave an empty or the old buffer") {
  Buffer<double> b(4);
  CHECK_THROWS_AS(b.resize(-1), std::bad_alloc);
  CHECK_THROWS_AS(b.reserve(-1), std::bad_alloc);
  CHECK(b.size() == 4);
  CHECK_THROWS_AS(b.resize(std::numeric_limits<index>::max()), std::bad_alloc);
  CHECK_THROWS_AS(b.resize(std::numeric_limits<index>::max() / 8 + 1), std::bad_alloc);
  CHECK(b.size() == 4);
#if REFUSAL_TESTS
  CHECK_THROWS_AS(b.resize(std::numeric_limits<index>::max() / 16), std::bad_alloc);
  CHECK(b.size() == 0);
  CHECK(b.data() == nullptr);
#endif
  b.resize(2);
  CHECK(b[1] == 0);
}

TEST_CASE("arena: slots do not overlap, are aligned, and scratch may share") {
  Planner plan;
  const auto a = plan.add<float>(3);
  const auto none = plan.add<float>(0);
  const auto b = plan.add<double>(5);
  const auto c = plan.add<char>(1, 1);
  const auto d = plan.add<std::uint32_t>(2, 4);
  const auto x = plan.add<float>(100);
  CHECK(plan.bytes() == x.offset + 448);  // whole lines
  CHECK(d.offset == c.offset + 4);

  Arena arena(plan);
  CHECK(arena.at(none) == nullptr);
  CHECK(arena.at(Slot<int>{}) == nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(arena.at(a)) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(arena.at(b)) % 64 == 0);
  std::fill_n(arena.at(a), 3, 1.0F);
  std::fill_n(arena.at(b), 5, 2.0);
  *arena.at(c) = 3;
  std::fill_n(arena.at(d), 2, 4U);
  std::fill_n(arena.at(x), 100, 5.0F);
  CHECK(arena.at(a)[2] == 1);
  CHECK(arena.at(b)[4] == 2);
  CHECK(*arena.at(c) == 3);
  CHECK(arena.at(d)[1] == 4);

  const std::uint64_t before = allocation_count();
  arena.reserve(plan);
  arena.reserve(Planner{});
  CHECK(allocation_count() == before);
  CHECK(arena.at(a)[2] == 1);
  plan.add<double>(1000);
  arena.reserve(plan);
  CHECK(allocation_count() == before + 1);
  CHECK(arena.at(a)[2] == 0);
}

TEST_CASE("arena: a large block that is hardly used is replaced by one for what is used") {
  const auto plan_of = [](index count) {
    Planner plan;
    plan.add<char>(count);
    return plan;
  };
  const index large = index{4} << 20, small = index{1} << 19;
  Arena arena(plan_of(large));
  const auto uses = [&](int times, index count) {
    for (int i = 0; i < times; ++i) arena.reserve(plan_of(count));
    return arena.bytes();
  };
  // sixteen in turn, of less than a quarter each
  CHECK(uses(15, small) == std::size_t(large));
  CHECK(uses(1, large / 4) == std::size_t(large));
  CHECK(uses(15, small) == std::size_t(large));
  const std::uint64_t before = allocation_count();
  arena.reserve(plan_of(100));
  CHECK(arena.bytes() == std::size_t(small));
  CHECK(allocation_count() == before + 1);
  CHECK(uses(100, 100) == std::size_t(small));  // too small to matter
  CHECK(allocation_count() == before + 1);

  CHECK(uses(1, large) == std::size_t(large));
  arena.reserve(plan_of(small));
  for (int i = 0; i < 14; ++i) CHECK(!arena.keep());
  CHECK(arena.keep());
  CHECK(arena.bytes() == std::size_t(small));
}

TEST_CASE("out of memory: says how much was asked for") {
  const auto text = [](std::size_t bytes) { return std::string(OutOfMemory(bytes).what()); };
  CHECK(text(999) == "out of memory: a block needs 999 bytes");
  CHECK(text(999499) == "out of memory: a block needs 999 kB");
  CHECK(text(999600) == "out of memory: a block needs 1 MB");
  CHECK(text(446000000000) == "out of memory: a block needs 446 GB");
  CHECK(std::string(OutOfMemory(5, "x").what()) == "x needs 5 bytes");
  CHECK_THROWS_WITH_AS(Buffer<double>{std::numeric_limits<index>::max()},
                       "out of memory: a block needs more bytes than can be counted", OutOfMemory);
#if REFUSAL_TESTS
  CHECK_THROWS_WITH_AS(Buffer<char>{std::numeric_limits<index>::max() / 8},
                       "out of memory: a block needs 1.15 EB", OutOfMemory);
#endif
}

TEST_CASE("arena: sums of sizes are checked") {
  const index most = std::numeric_limits<index>::max();
  Planner plan;
  CHECK_THROWS_AS(plan.add<float>(-1), std::bad_alloc);
  CHECK_THROWS_AS(plan.add<float>(most / 2), std::bad_alloc);
  plan.add<char>(most / 2);
  plan.add<char>(most / 2 - 1000);
  CHECK_THROWS_AS(plan.add<char>(2000), std::bad_alloc);
#if REFUSAL_TESTS
  CHECK_THROWS_AS(Arena{plan}, std::bad_alloc);
#endif
}

TEST_CASE("split: shares cover the range once, in order, evenly, on grains") {
  for (const index count : {0, 1, 5, 16, 17, 100}) {
    for (const int parts : {1, 2, 3, 7, 32}) {
      for (const index grain : {1, 4, 16}) {
        index next = 0, smallest = count + grain, largest = 0;
        for (int part = 0; part < parts; ++part) {
          const Range r = split(count, part, parts, grain);
          CHECK(r.begin == next);
          CHECK(r.end >= r.begin);
          CHECK((r.begin % grain == 0 || r.begin == count));
          next = r.end;
          smallest = std::min(smallest, r.size());
          largest = std::max(largest, r.size());
        }
        CHECK(next == count);
        CHECK(largest - smallest < 2 * grain);
      }
    }
  }
}

TEST_CASE("denormals: flushed inside the scope, the caller's mode back after it") {
  const float tiny = std::numeric_limits<float>::min();
  CHECK(opaque(tiny) * opaque(0.5F) > 0);
  const FpMode before = fp_mode();
  {
    const FlushDenormals flush;
    {
      const FlushDenormals nested;
      CHECK(opaque(tiny) * opaque(0.5F) == 0);
    }
    if (kFlushBits != 0) {
      CHECK(opaque(tiny) * opaque(0.5F) == 0);
      CHECK(opaque(std::numeric_limits<float>::denorm_min()) * opaque(1e30F) == 0);
      CHECK(opaque(std::numeric_limits<double>::min()) * opaque(0.5) == 0);
    }
  }
  CHECK(fp_mode() == before);
  CHECK(opaque(tiny) * opaque(0.5F) > 0);
}

}  // namespace lstmfast::base
