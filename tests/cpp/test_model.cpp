// Models as a whole: gradients, the training loop's promises, what it says when something is wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>

#include "base/team.h"
#include "count_allocations.h"
#include "model_problem.h"

namespace lstmfast::model {
namespace {

using test::allocations;
using test::compile_config;
using test::fit;
using test::make_model;
using test::message_of;
using test::model_config;
using test::Problem;
using test::weights;

FitOptions options(index batch_size, index epochs) {
  FitOptions out;
  out.batch_size = batch_size;
  out.epochs = epochs;
  return out;
}

// Loss of a training step and, with a learning rate of 0, its gradients.
double step_loss(Model<double>& model, const Examples<double>& examples) {
  model.training("test")->optimizer->set_iterations(0);  // the same dropout masks each time
  return train_on_batch(model, examples).values[0];
}

TEST_CASE("gradients of a whole model are those of its loss") {
  const struct {
    const char *loss, *last;
  } cases[] = {{"mean_squared_error", "linear"},
               {"huber", "tanh"},
               {"binary_crossentropy", "sigmoid"},
               {"categorical_crossentropy", "softmax"},
               {"mean_squared_error", "softmax"}};
  for (const auto& item : cases) {
    CAPTURE(item.loss);
    CAPTURE(item.last);
    auto model = make_model<double>(model_config("float64", item.last, 3));
    model->compile(compile_config(item.loss, "sgd", 0.0));
    const Problem<double> problem(4, 5, 3);
    step_loss(*model, problem.examples);
    const auto training = model->training("test");
    const base::Buffer<double>& gradients = training->gradients;
    std::vector<double> flat(gradients.data(), gradients.data() + gradients.size());
    constexpr double kStep = 1e-5;
    index checked = 0;
    test::for_each_weight(*model, [&](const auto& owner, const layers::Parameter& parameter) {
      const std::vector<double> gradient =
          test::logical<double>(parameter, flat.data() + training->layout.find(owner)->offset);
      std::vector<double> value = test::logical<double>(parameter, owner.values());
      for (std::size_t i = 0; i < value.size(); i += 7) {
        const double kept = value[i];
        double loss[2];
        for (const int side : {0, 1}) {
          value[i] = kept + (side == 0 ? -kStep : kStep);
          parameter.import_from(value.data(), owner.values());
          loss[side] = step_loss(*model, problem.examples);
        }
        value[i] = kept;
        parameter.import_from(value.data(), owner.values());
        // Truncation is kStep^2 times a third derivative of order 1, rounding 1e-16 / kStep.
        CHECK((loss[1] - loss[0]) / (2 * kStep) == doctest::Approx(gradient[i]).epsilon(1e-7));
        ++checked;
      }
    });
    CHECK(checked > 50);
  }
}

TEST_CASE("a warm training step takes no memory") {
  for (const bool shuffled : {true, false}) {
    auto model = make_model<float>(model_config("float32", "softmax", 3));
    model->compile(compile_config("categorical_crossentropy"));
    const Problem<float> problem(10, 6, 3);
    struct Watch {
      long begin = 0, worst = 0, steps = 0;
    } watch;
    Callbacks callbacks;
    callbacks.context = &watch;
    callbacks.batch_begin = [](void* context, index) {
      static_cast<Watch*>(context)->begin = allocations;
      return false;
    };
    callbacks.batch_end = [](void* context, index, const Logs&) {
      Watch& w = *static_cast<Watch*>(context);
      if (++w.steps > 3) w.worst = std::max(w.worst, allocations - w.begin);
      return false;
    };
    FitOptions fit_options = options(4, 4);  // 4, 4 and 2 samples
    fit_options.shuffle = shuffled;
    fit(*model, problem.examples, fit_options, callbacks, &problem.examples);
    CHECK(allocations > 0);
    CHECK(watch.steps == 12);
    CHECK(watch.worst == 0);

    // A second call on the same shapes finds all its large memory where the first left it.
    const std::uint64_t buffers = base::allocation_count();
    fit(*model, problem.examples, fit_options, {}, &problem.examples);
    CHECK(base::allocation_count() == buffers);
  }
}

TEST_CASE("predictions depend on neither batch size nor threads") {
  auto model = make_model<float>(model_config("float32", "tanh", 3));
  const Problem<float> problem(13, 6, 3);
  std::vector<float> whole(13 * 3), part(13 * 3);
  model->predict(problem.examples.in, 13, {whole.data()});
  const int threads = base::team::get_num_threads();
  for (const int n : {1, 2, 4}) {
    base::team::set_num_threads(n);
    for (const index batch : {1, 2, 5, 100}) {
      std::fill(part.begin(), part.end(), -1.0F);
      model->predict(problem.examples.in, batch, {part.data()});
      CHECK(part == whole);
    }
  }
  base::team::set_num_threads(threads);
}

TEST_CASE("losses of an epoch are means over samples") {
  auto model = make_model<double>(model_config("float64", "linear", 3, 0.0));
  model->compile(compile_config("mean_squared_error", "sgd", 0.0));
  const Problem<double> problem(10, 4, 3);
  const Scores whole = evaluate(*model, problem.examples, 10);
  const Scores parts = evaluate(*model, problem.examples, 4);
  const History history = fit(*model, problem.examples, options(3, 2), {}, &problem.examples);
  CHECK(history.names ==
        std::vector<std::string>{"loss", "metrics.0", "val_loss", "val_metrics.0"});
  CHECK(history.epochs.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(parts.values[i] == doctest::Approx(whole.values[i]).epsilon(1e-12));
    CHECK(history.epochs[0][i] == doctest::Approx(whole.values[i]).epsilon(1e-12));
    CHECK(history.epochs[1][i + 2] == doctest::Approx(whole.values[i]).epsilon(1e-12));
  }
}

TEST_CASE("order and masks come from seed and counters alone") {
  const Problem<float> problem(9, 4, 3);
  const auto trained = [&](index seed, const std::vector<index>& epochs) {
    auto model = make_model<float>(model_config("float32", "linear", 3));
    auto config = compile_config("mean_squared_error");
    config["seed"] = seed;
    model->compile(config);
    for (const index n : epochs) fit(*model, problem.examples, options(2, n));
    return weights(*model);
  };
  CHECK(trained(1, {5}) == trained(1, {2, 3}));
  CHECK(trained(1, {5}) != trained(2, {5}));
}

TEST_CASE("hooks stop training, and errors in them leave whole steps") {
  const Problem<float> problem(9, 4, 3);
  const auto fresh = [] {
    auto model = make_model<float>(model_config("float32", "linear", 3));
    model->compile(compile_config("mean_squared_error"));
    return model;
  };
  const auto iterations = [](Model<float>& model) {
    return model.training("test")->optimizer->iterations();
  };
  auto model = fresh();
  Callbacks callbacks;
  callbacks.batch_end = [](void*, index batch, const Logs&) { return batch == 1; };
  History history = fit(*model, problem.examples, options(2, 4), callbacks);
  CHECK(iterations(*model) == 2);
  CHECK(history.epochs.size() == 1);
  const std::vector<float> after_two = weights(*model);

  model = fresh();
  callbacks = {};
  callbacks.batch_begin = [](void*, index batch) { return batch == 0; };
  fit(*model, problem.examples, options(2, 4), callbacks);
  CHECK(iterations(*model) == 1);  // that batch is trained

  model = fresh();
  callbacks.batch_begin = [](void*, index batch) -> bool {
    if (batch == 2) throw std::runtime_error("enough");
    return false;
  };
  CHECK_THROWS_WITH(fit(*model, problem.examples, options(2, 4), callbacks), "enough");
  CHECK(weights(*model) == after_two);

  model = fresh();
  callbacks = {};
  callbacks.epoch_end = [](void*, index epoch, const Logs&) -> bool {
    if (epoch == 1) throw std::runtime_error("enough");
    return false;
  };
  CHECK_THROWS_WITH(
      model::fit<float>(*model, problem.examples, nullptr, options(9, 4), callbacks, history),
      "enough");
  CHECK(history.epochs.size() == 2);
  CHECK(history.epochs[1].size() == history.names.size());

  model = fresh();
  callbacks = {};
  callbacks.epoch_begin = [](void*, index epoch) { return epoch == 3; };
  history = fit(*model, problem.examples, options(9, 10), callbacks);
  CHECK(iterations(*model) == 3);
  callbacks = {};
  callbacks.epoch_end = [](void*, index epoch, const Logs& logs) {
    return epoch == 1 && logs.count == 2 && logs.names[1] == "metrics.0";
  };
  history = fit(*model, problem.examples, options(9, 10), callbacks);
  CHECK(iterations(*model) == 5);
}

TEST_CASE("what is not finite does not reach the weights") {
  Problem<float> problem(6, 4, 3);
  problem.y[4 * 3] = std::numeric_limits<float>::infinity();  // sample 4: the third batch of two
  const auto fresh = [] {
    auto model = make_model<float>(model_config("float32", "linear", 3));
    model->compile(compile_config("mean_squared_error"));
    return model;
  };
  FitOptions fit_options = options(2, 3);
  fit_options.shuffle = false;
  auto model = fresh();
  CHECK_THROWS_WITH_AS(fit(*model, problem.examples, fit_options),
                       "[model.fit] the loss is not finite in epoch 1 of 3, batch 3 of 3; the "
                       "weights are those before that batch; y[4, 0] is inf (row 4)",
                       NonFinite);
  CHECK(model->training("test")->optimizer->iterations() == 2);
  const std::vector<float> finite = weights(*model);
  for (const float w : finite) REQUIRE(std::isfinite(w));

  model = fresh();
  fit_options.on_nonfinite = OnNonFinite::stop;
  const History history = fit(*model, problem.examples, fit_options);
  CHECK(weights(*model) == finite);
  CHECK(history.epochs.size() == 1);
  CHECK_FALSE(std::isfinite(history.epochs[0][0]));

  model = fresh();
  fit_options.on_nonfinite = OnNonFinite::ignore;
  CHECK(fit(*model, problem.examples, fit_options).epochs.size() == 3);
  CHECK(std::isnan(weights(*model)[0]));
}

TEST_CASE("errors name what came and what was expected") {
  auto model = make_model<float>(model_config("float32", "linear", 3));
  Problem<float> problem(6, 4, 3);
  CHECK(message_of([&] { fit(*model, problem.examples, options(2, 1)); }) ==
        "[model.fit] the model is not compiled; expected compile() before");
  model->compile(compile_config("mse"));
  problem.examples.targets[0].shape = {6, 2};
  CHECK(message_of([&] { evaluate(*model, problem.examples, 2); }).find("(6, 3)") !=
        std::string::npos);
  problem.examples.targets[0].shape = {5, 3};
  CHECK(message_of([&] { evaluate(*model, problem.examples, 2); }) ==
        "[model.evaluate] y has 5 samples; expected 6 to match x");
  problem.examples.in.inputs[0].shape = {4, 2};
  CHECK(
      message_of([&] { evaluate(*model, problem.examples, 2); }) ==
      "[model.evaluate] x has samples of shape (4, 2); expected (?, 3) to match the model's input");

  auto config = model_config("float32", "linear", 3);
  config["layers.2.kind"] = "lstn";
  CHECK(message_of([&] {
          read_definition<float>(config);
        }).find("[model.config] layers.2.kind is \"lstn\"; expected one of \"lstm\", ") == 0);
  config = model_config("float32", "linear", 3);
  config["layers.3.unit"] = 1;
  CHECK(message_of([&] { read_definition<float>(config); }).find("layers.3.unit") !=
        std::string::npos);
  config = model_config("float32", "linear", 3);
  config["layers.0.return_sequences"] = false;
  CHECK(message_of([&] { read_definition<float>(config); }) ==
        "[lstm] input of a sample has shape (5,); expected (steps, features)");
  auto compile = compile_config("mse");
  compile["clip.max"] = 1;
  CHECK(message_of([&] { model->compile(compile); }).find("clip.max") != std::string::npos);
  CHECK(model->training() != nullptr);
}

}  // namespace
}  // namespace lstmfast::model
