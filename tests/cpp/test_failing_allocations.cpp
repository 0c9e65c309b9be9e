// Calls that run out of memory, at any of their allocations: what they leave is whole, and the next
// call goes on.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <new>

#include "decoding_problem.h"
#include "model/rnn.h"
#include "ops/lstm_rows.h"

namespace {

long before_failure = -1;  // allocations that still succeed; negative: all do

// Null where the allocation fails.
void* allocated(std::size_t size, std::size_t alignment) noexcept {
  if (before_failure >= 0 && before_failure-- == 0) return nullptr;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
}

void* or_throw(void* p) {
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

// All forms that the core and the library use: a sanitizer brings its own of those that are left
// out. Not inlined: compilers that see only one side warn of a malloc that meets a delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return or_throw(allocated(size, alignof(std::max_align_t)));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocated(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocated(size, static_cast<std::size_t>(alignment)));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment,
                                     const std::nothrow_t&) noexcept {
  return allocated(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace lstmfast::model {
namespace {

TEST_CASE("a history is whole wherever memory runs out") {
  const test::Problem<float> problem(6, 4, 3);
  auto config = test::model_config("float32", "linear", 3);
  config["layers.0.stateful"] = true;
  FitOptions options;
  options.batch_size = options.validation_batch_size = 3;
  options.epochs = 5;
  bool found = false;  // some fits end between two epochs
  for (long n = 0;; ++n) {
    auto model = test::make_model<float>(config);
    model->compile(test::compile_config("mean_squared_error"));
    History history;
    before_failure = n;
    bool failed = false;
    try {
      fit(*model, problem.examples, &problem.examples, options, {}, history);
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    before_failure = -1;
    for (const auto& values : history.epochs) REQUIRE(values.size() == history.names.size());
    if (!failed) break;
    found |= !history.epochs.empty() && history.epochs.size() < 5;
    fit(*model, problem.examples, &problem.examples, options, {}, history);
    REQUIRE(history.epochs.size() == 5);
    for (const double value : history.epochs.back()) REQUIRE(std::isfinite(value));
  }
  CHECK(found);
}

TEST_CASE("rows stay in order where a smaller block for them is refused") {
  ops::LstmRows<float> rows;
  ops::LstmCall<float> large{}, small{};
  large.batch = 64;
  large.steps = 2000;
  small.batch = 2;
  small.steps = 10;
  rows.order(large);
  for (int i = 0; i < 15; ++i) rows.order(small);
  before_failure = 0;
  CHECK_THROWS_AS(rows.order(small), std::bad_alloc);
  before_failure = -1;
  rows.order(small);
  CHECK(rows.slot_length[1] == 10);
  CHECK(rows.first_row[10] == 20);
  CHECK(rows.positions[19] == 9);
}

TEST_CASE("backward onto gradients adds all or nothing wherever memory runs out") {
  const std::vector<base::Options> variants = {
      {},
      {{"bidirectional", true}},
      {{"proj_size", 3}, {"peephole", true}},
      {{"layer_norm", true}, {"weight_drop", 0.5}, {"recompute_every", 2}}};
  for (base::Options given : variants) {
    given.insert({{"input_size", 3}, {"hidden_size", 5}, {"num_layers", 3}, {"dropout", 0.5}});
    const RnnOptions options = read_rnn_options(given, 1);
    const index D = options.directions, O = options.outputs();
    constexpr index kBatch = 4, kSteps = 6;
    const std::vector<float> x(std::size_t(kBatch * kSteps * 3), 0.5F);
    std::vector<float> y(std::size_t(kBatch * kSteps * D * O)), dx(x.size());
    const std::vector<float> dy(y.size(), 1);
    ops::LstmGradients<float> gradients{};
    gradients.dy = dy.data();
    gradients.dx = dx.data();
    for (long n = 0;; ++n) {
      Rnn<float> rnn(options);
      for (const auto& parameter : rnn.parameters()) {
        const std::vector<float> values(std::size_t(parameter.place.count()), 0.3F);
        rnn.set({{&parameter, values.data()}});
      }
      RnnRows rows;
      const auto train = [&](index batch) {
        RnnInput<float> input;
        input.x = {x.data(), {batch, kSteps, 3}};
        ops::LstmCall<float> call = rnn.check("test", input, rows);
        call.y = y.data();
        rnn.train(call);
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
      train(1);
      rnn.backward(gradients);
      const std::vector<float> before = sums();
      train(kBatch);
      before_failure = n;
      bool failed = false;
      try {
        rnn.backward(gradients);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      before_failure = -1;
      REQUIRE((sums() == before) == failed);
      if (!failed) {
        CHECK(n >= 3 * D + 1);
        break;
      }
    }
  }
}

TEST_CASE("decoding goes on wherever memory ran out before") {
  for (const bool tokens : {true, false}) {
    DecodingOptions options;
    options.length = 3;
    options.beams = tokens ? 2 : 1;
    const auto expected = test::DecodingProblem(tokens).decoded(options);
    for (long n = 0;; ++n) {
      const test::DecodingProblem problem(tokens);
      if (n % 2 > 0) problem.decoded(options, 1);  // its memory is too small for what follows
      auto out = expected;
      before_failure = n / 2;
      bool failed = false;
      try {
        decode<float>(*problem.encoder, *problem.decoder, problem.samples, 5, options,
                      {out.ids.data(), out.values.data(), out.scores.data()});
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      before_failure = -1;
      REQUIRE(problem.decoded(options) == expected);
      if (!failed && n % 2 == 0) break;
    }
  }
}

}  // namespace
}  // namespace lstmfast::model
