#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/interrupt.h"
#include "model/rnn.h"
#include "team_helpers.h"

namespace lstmfast {
namespace {

using base::Interrupt;
using base::InterruptPoint;

struct Stop : std::runtime_error {
  Stop() : std::runtime_error("stop") {}
};

bool stop(void*) { throw Stop(); }

// As a loop without an end.
void work_until_interrupted() {
  InterruptPoint point;
  for (;;) point.pass(1e6);
}

}  // namespace

TEST_CASE("interrupt: a loop leaves by what poll throws, and goes on where it returns") {
  CHECK(Interrupt::current() == nullptr);
  int calls = 0;
  const auto poll = [](void* context) {
    if (++*static_cast<int*>(context) == 3) throw Stop();
    return true;
  };
  {
    const Interrupt interrupt(poll, &calls);
    CHECK(Interrupt::current() == &interrupt);
    CHECK_THROWS_AS(work_until_interrupted(), Stop);
    CHECK(calls == 3);
    CHECK_THROWS_AS(work_until_interrupted(), Stop);  // from then on
    CHECK(calls == 3);
    const base::Uninterrupted whole;
    CHECK(Interrupt::current() == nullptr);
    InterruptPoint().pass(1e9);
  }
  CHECK(Interrupt::current() == nullptr);
}

TEST_CASE("interrupt: after a signal poll is asked at once") {
  int calls = 0;
  const auto poll = [](void* context) {
    if (++*static_cast<int*>(context) == 2) throw Stop();
    return false;
  };
  Interrupt interrupt(poll, &calls);
  interrupt.look_now();
  CHECK_THROWS_AS(interrupt.look_now(), Stop);
  CHECK_THROWS_AS(interrupt.look(), Stop);
  CHECK_THROWS_AS(interrupt.look_now(), Stop);
  CHECK(calls == 2);
}

TEST_CASE("interrupt: poll that need not be called again is not") {
  int calls = 0;
  const Interrupt interrupt(
      [](void* context) {
        ++*static_cast<int*>(context);
        return false;
      },
      &calls);
  const auto end = std::chrono::steady_clock::now() + 3 * Interrupt::kPeriod;
  InterruptPoint point;
  while (calls == 0 || std::chrono::steady_clock::now() < end) point.pass(1e6);
  CHECK(calls == 1);
}

TEST_CASE("interrupt: a poll that takes long is called half as often") {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> times;  // begin and end of each
  const Interrupt interrupt(
      [](void* context) {
        auto& out = *static_cast<std::vector<Clock::time_point>*>(context);
        out.push_back(Clock::now());
        if (out.size() == 3) throw Stop();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        out.push_back(Clock::now());
        return true;
      },
      &times);
  CHECK_THROWS_AS(work_until_interrupted(), Stop);
  CHECK(times[2] - times[1] >= 2 * Interrupt::kPeriod);
}

TEST_CASE("interrupt: poll runs without the interrupt and in the mode of its beginning") {
  struct Seen {
    Interrupt* current;
    base::FpMode mode;
  } seen{};
  const base::FpMode mode = base::fp_mode();
  const Interrupt interrupt(
      [](void* context) -> bool {
        *static_cast<Seen*>(context) = {Interrupt::current(), base::fp_mode()};
        throw Stop();
      },
      &seen);
  const base::FlushDenormals flush;
  CHECK_THROWS_AS(work_until_interrupted(), Stop);
  CHECK(seen.current == nullptr);
  CHECK(seen.mode == mode);
  CHECK(Interrupt::current() == &interrupt);
}

TEST_CASE("interrupt: blocks cover the range, and are one without an interrupt") {
  const auto blocks = [](index count, double flops) {
    std::vector<base::Range> out;
    InterruptPoint().in_blocks({3, 3 + count}, flops, [&](base::Range r) { out.push_back(r); });
    return out;
  };
  CHECK(blocks(0, 1).empty());
  CHECK(blocks(1000, 1e9).size() == 1);
  const Interrupt interrupt([](void*) { return true; });
  CHECK(blocks(1000, 1).size() == 1);
  const std::vector<base::Range> many = blocks(1000, 1e9);
  CHECK(many.size() > 10);
  index next = 3;
  for (const base::Range& r : many) {
    CHECK(r.begin == next);
    CHECK(!r.empty());
    next = r.end;
  }
  CHECK(next == 1003);
}

TEST_CASE("interrupt: all threads of a run leave, those at a barrier too") {
  const base::Threads limit(3);
  for (const bool meets : {false, true}) {
    const Interrupt interrupt(&stop);
    std::atomic<int> left{0};
    CHECK_THROWS_AS(base::team::run(3,
                                    [&](int, int, base::Barrier& barrier) {
                                      struct Leaves {
                                        std::atomic<int>& left;
                                        ~Leaves() { ++left; }
                                      } leaves{left};
                                      InterruptPoint point;
                                      for (;;) {
                                        point.pass(1e5);
                                        if (meets && !barrier.wait()) return;
                                      }
                                    }),
                    Stop);
    CHECK(left == 3);
  }
  CHECK(base::team_sum(3, base::kCount) == base::kSum);
}

TEST_CASE("interrupt: the caller asks while it waits for the others") {
  const base::Threads limit(2);
  const Interrupt interrupt(&stop);
  CHECK_THROWS_AS(base::team::run(2,
                                  [&](int tid, int n) {
                                    if (tid + 1 == n) work_until_interrupted();
                                  }),
                  Stop);
}

TEST_CASE("interrupt: memory that is being zeroed") {
  int calls = 0;
  const Interrupt interrupt(
      [](void* context) -> bool {
        ++*static_cast<int*>(context);
        throw Stop();
      },
      &calls);
  base::Buffer<char> buffer;
  for (int i = 0; i < 10000 && calls == 0; ++i) {
    buffer = {};
    try {
      buffer.resize(index{48} << 20);
    } catch (const Stop&) {
      CHECK(buffer.size() == 0);
    }
  }
  CHECK(calls == 1);
}

TEST_CASE("interrupt: training and backward leave weights and gradients as they were") {
  using model::Rnn;
  const base::Threads limit(2);
  struct Sizes {
    index batch, steps, directions;
  };
  for (Sizes sizes : {Sizes{64, 20, 1}, Sizes{1, 1000, 2}}) {
    CAPTURE(sizes.batch);
    base::Options options = {{"input_size", 16}, {"hidden_size", 64}};
    if (sizes.directions == 2) options["bidirectional"] = true;
    Rnn<float> rnn(model::read_rnn_options(options, 0));
    std::vector<float> x, dx, y;
    ops::LstmGradients<float> gradients{};
    const auto resize = [&] {
      const index rows = sizes.batch * sizes.steps;
      x.resize(std::size_t(rows * 16), 0.5F);
      dx.resize(x.size());
      y.resize(std::size_t(rows * 64 * sizes.directions));
      gradients.dx = dx.data();
      gradients.dy = y.data();
    };
    resize();
    model::RnnRows lengths;
    const auto call = [&](index steps) {
      model::RnnInput<float> input;
      input.x = {x.data(), {sizes.batch, steps, 16}};
      ops::LstmCall<float> out = rnn.check("test", input, lengths);
      out.y = y.data();
      return out;
    };
    const auto sums = [&] {
      std::vector<float> out;
      for (const auto& parameter : rnn.parameters()) {
        std::vector<float> part(std::size_t(parameter.place.count()));
        rnn.get_gradient(parameter, part.data());
        out.insert(out.end(), part.begin(), part.end());
      }
      return out;
    };
    for (const auto& parameter : rnn.parameters()) {
      const std::vector<float> values(std::size_t(parameter.place.count()), 0.1F);
      rnn.set({{&parameter, values.data()}});
    }
    // f() is ended `after` its beginning; begin() comes before. Both are tried again with twice the
    // steps where f() ends before that.
    const auto interrupted = [&](std::chrono::milliseconds after, auto begin, auto f) {
      for (;;) {
        begin();
        try {
          const Interrupt interrupt(&stop);
          std::this_thread::sleep_for(Interrupt::kPeriod - after);
          f();
        } catch (const Stop&) {
          return;
        }
        sizes.steps *= 2;
        resize();
      }
    };
    for (const int after : {0, 4}) {
      const std::chrono::milliseconds time(after);
      interrupted(time, [] {}, [&] { rnn.train(call(sizes.steps)); });
      CHECK_THROWS_AS(rnn.backward(gradients), std::invalid_argument);
      for (const bool from_zero : {true, false}) {
        if (!from_zero) {
          rnn.train(call(3));
          rnn.backward(gradients);
        }
        std::vector<float> before;
        interrupted(
            time,
            [&] {
              rnn.train(call(sizes.steps));
              before = sums();
            },
            [&] { rnn.backward(gradients); });
        CHECK(sums() == before);
        CHECK_THROWS_AS(rnn.backward(gradients), std::invalid_argument);
        rnn.zero_gradients();
      }
    }
  }
}

}  // namespace lstmfast
