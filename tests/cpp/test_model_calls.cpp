// Calls on one model at the same time and in turn: who may train, what a compile leaves to those
// who still read, what memory is planned, what is known of the step before.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "model/batch_run.h"
#include "model_problem.h"

namespace lstmfast::model {
namespace {

using test::compile_config;
using test::make_model;
using test::model_config;
using test::Problem;

TEST_CASE("one thread trains, and its own calls may read") {
  base::BusyFlag flag;
  const base::Busy training(flag, "test");
  const auto refused = [&](base::Busy::Kind kind) {
    CHECK_THROWS_WITH_AS(base::Busy(flag, "other", kind),
                         "[other] a call that changes this object is running; expected none",
                         std::runtime_error);
  };
  {
    const base::Busy saving(flag, "save", base::Busy::Kind::reading);
  }
  refused(base::Busy::Kind::exclusive);
  refused(base::Busy::Kind::brief);
  std::thread([&] {
    for (const auto kind : {base::Busy::Kind::exclusive, base::Busy::Kind::nested,
                            base::Busy::Kind::brief, base::Busy::Kind::reading}) {
      refused(kind);
    }
  }).join();
}

TEST_CASE("training waits for a copy in another thread") {
  base::BusyFlag flag;
  std::atomic<bool> reading{false}, done{false};
  std::thread reader([&] {
    const base::Busy busy(flag, "save", base::Busy::Kind::reading);
    reading = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    done = true;
  });
  while (!reading) std::this_thread::yield();
  {
    const base::Busy training(flag, "test");
    CHECK(done);
  }
  reader.join();
}

TEST_CASE("what a call reads of a compiled model outlives the next compile") {
  auto model = make_model<float>(model_config("float32", "linear", 3));
  CHECK(model->training() == nullptr);
  model->compile(compile_config("mean_squared_error"));
  const Problem<float> problem(6, 4, 3);
  const std::weak_ptr<Training<float>> first = model->training();
  {
    const BatchRun<float> run("test", *model, problem.examples, 6);
    model->compile(compile_config("huber"));
    CHECK_FALSE(first.expired());
    CHECK(model->training("test") != first.lock());
  }
  CHECK(first.expired());
}

TEST_CASE("an error about a step tells when the step before spoiled the weights") {
  auto model = make_model<float>(model_config("float32", "linear", 3));
  model->compile(compile_config("mean_squared_error", "sgd", 1e300));
  const Problem<float> problem(6, 4, 3);
  FitOptions options;
  options.epochs = 9;
  CHECK_THROWS_WITH_AS(test::fit(*model, problem.examples, options),
                       "[model.fit] the loss is not finite in epoch 2 of 9, batch 1 of 1; the "
                       "weights are those before that batch, not finite either; the learning rate "
                       "may be too large",
                       NonFinite);
}

}  // namespace
}  // namespace lstmfast::model
