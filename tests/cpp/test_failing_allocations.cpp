// A fit that runs out of memory, at any of its allocations: its history is whole, and the next fit
// goes on.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <new>

#include "model_problem.h"

namespace {

long before_failure = -1;  // allocations that still succeed; negative: all do

void* allocated(std::size_t size, std::size_t alignment) {
  if (before_failure >= 0 && before_failure-- == 0) throw std::bad_alloc();
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  if (void* const p = std::aligned_alloc(alignment, whole == 0 ? alignment : whole)) return p;
  throw std::bad_alloc();
}

}  // namespace

// Not inlined: compilers that see only one side warn of a malloc that meets a delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return allocated(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
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
  config["layers.0.stateful"] = "true";
  FitOptions options;
  options.batch_size = options.validation_batch_size = 3;
  options.epochs = 5;
  bool told = false;  // some fits end between two epochs
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
    REQUIRE(history.values.size() == history.names.size());
    for (const auto& values : history.values) REQUIRE(values.size() == history.epochs.size());
    if (!failed) break;
    told |= !history.epochs.empty() && history.epochs.size() < 5;
    fit(*model, problem.examples, &problem.examples, options, {}, history);
    REQUIRE(history.epochs.size() == 5);
    for (const auto& values : history.values) REQUIRE(std::isfinite(values.back()));
  }
  CHECK(told);
}

}  // namespace
}  // namespace lstmfast::model
