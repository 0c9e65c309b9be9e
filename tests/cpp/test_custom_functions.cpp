// Losses and metrics that the caller computes: what they are given, what training makes of them.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "base/denormals.h"
#include "model/model_file.h"
#include "model_problem.h"
#include "temp_dir.h"

namespace lstmfast::model {
namespace {

using losses::LossBatch;
using metrics::MetricBatch;
using metrics::MetricFunctions;
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

test::Map custom_config(const std::string& metrics = "") {
  auto config = compile_config("custom");
  config["loss.name"] = "mine";
  config["metrics"] = metrics;
  return config;
}

// The mean squared error, with the core's own gradient to the bit.
template <class T>
double squared(const LossBatch<T>& batch) {
  const index count = batch.prediction_shape.count();
  const T scale = static_cast<T>(1.0 / static_cast<double>(count));
  double total = 0;
  for (index i = 0; i < count; ++i) {
    const T d = batch.prediction[i] - batch.target[i];
    total += static_cast<double>(d) * static_cast<double>(d);
    if (batch.gradient != nullptr) batch.gradient[i] = (d + d) * scale;
  }
  return total / static_cast<double>(count);
}

// Means over samples of the first value of each; counts its calls.
template <class T>
metrics::CustomMetric<T> first_value(int* made, int* resets) {
  return [=] {
    ++*made;
    struct Sum {
      double total = 0, count = 0;
    };
    const auto sum = std::make_shared<Sum>();
    return MetricFunctions<T>{[=] { *sum = Sum(), ++*resets; },
                              [=](const MetricBatch<T>& batch) {
                                for (index r = 0; r < batch.rows; ++r) {
                                  sum->total += batch.target[r * batch.target_stride];
                                }
                                sum->count += static_cast<double>(batch.rows);
                              },
                              [=] { return sum->total / sum->count; }};
  };
}

}  // namespace

TEST_CASE_TEMPLATE("a custom loss trains as the core's does", T, float, double) {
  const std::string dtype = sizeof(T) == 4 ? "float32" : "float64";
  const Problem<T> problem(11, 5, 3);
  const auto trained = [&](const test::Map& config, Custom<T> custom) {
    auto model = make_model<T>(model_config(dtype, "tanh", 3));
    model->compile(config, std::move(custom));
    fit(*model, problem.examples, options(4, 3));
    return weights(*model);
  };
  CHECK(trained(custom_config(), {{squared<T>}, {}}) ==
        trained(compile_config("mean_squared_error"), {}));
}

TEST_CASE("custom metrics stand among the core's, one for each call") {
  const Problem<double> problem(10, 4, 3);
  auto model = make_model<double>(model_config("float64", "linear", 3));
  int made[2] = {}, resets[2] = {};
  model->compile(
      custom_config("custom:0,mse,custom:1"),
      {{squared<double>},
       {first_value<double>(&made[0], &resets[0]), first_value<double>(&made[1], &resets[1])}});
  const int at_compile = made[0];
  const History history = fit(*model, problem.examples, options(4, 2), {}, &problem.examples);
  CHECK(history.names == std::vector<std::string>{"loss", "metrics.0", "metrics.1", "metrics.2",
                                                  "val_loss", "val_metrics.0", "val_metrics.1",
                                                  "val_metrics.2"});
  CHECK(made[0] - at_compile == 2);  // training, validation
  CHECK(made[1] == made[0]);
  CHECK(resets[0] >= 4);
  double mean = 0;
  for (std::size_t i = 0; i < 10; ++i) mean += problem.y[3 * i] / 10;
  for (const std::size_t i : {1U, 3U, 5U, 7U}) {
    CHECK(history.epochs[1][i] == doctest::Approx(mean));
  }
  CHECK(history.epochs[1][4] == doctest::Approx(history.epochs[1][6]));  // val_loss and val_mse
}

TEST_CASE("a custom loss sees the batch as its owner shapes it") {
  auto config = model_config("float32", "linear", 3);
  config["layers.2.return_sequences"] = true;
  auto model = make_model<float>(config);
  Problem<float> problem(5, 4, 3);
  problem.y.resize(5 * 2 * 7, 0.5F);
  problem.examples.targets[0].y = problem.y.data();
  problem.examples.targets[0].shape = {
      5, 2, 7};  // not the prediction's rows: a custom loss may want that
  std::vector<std::vector<index>> seen;
  const auto note = [&](const base::BatchShape& shape) {
    std::vector<index> sizes(shape.axes, shape.axes + shape.rank);
    sizes.insert(sizes.begin(), shape.samples);
    seen.push_back(sizes);
  };
  const auto loss = [&](const LossBatch<float>& batch) {
    note(batch.prediction_shape);
    note(batch.target_shape);
    CHECK((base::fp_mode() & base::kFlushBits) == 0);
    for (index i = 0; i < batch.prediction_shape.count(); ++i) {
      if (batch.gradient != nullptr) batch.gradient[i] = 0.5F;
    }
    return 1.0;
  };
  int made = 0, resets = 0;
  model->compile(custom_config("custom:0"), {{loss}, {first_value<float>(&made, &resets)}});
  fit(*model, problem.examples, options(3, 1));
  CHECK(seen == std::vector<std::vector<index>>{{3, 4, 3}, {3, 2, 7}, {2, 4, 3}, {2, 2, 7}});
  model->compile(custom_config("mse"), {{loss}, {}});
  CHECK(message_of([&] { evaluate(*model, problem.examples, 5); }) ==
        "[mse] target has 0 values a row; expected 3, as the prediction");
  problem.examples.targets[0].shape = {5, 0};
  CHECK(message_of([&] { evaluate(*model, problem.examples, 5); }) ==
        "[model.evaluate] y has samples of no values; expected at least one");
}

TEST_CASE("what a custom loss throws, or says is not finite, leaves the last whole step") {
  const Problem<float> problem(6, 4, 3);
  auto model = make_model<float>(model_config("float32", "linear", 3));
  int calls = 0;
  bool throws = true;
  const auto loss = [&](const LossBatch<float>& batch) -> double {
    const double value = squared(batch);
    if (++calls != 3) return value;
    if (throws) throw std::runtime_error("enough");
    return std::numeric_limits<double>::quiet_NaN();
  };
  model->compile(custom_config(), {{loss}, {}});
  CHECK_THROWS_WITH(fit(*model, problem.examples, options(2, 2)), "enough");
  CHECK(model->training("test")->optimizer->iterations() == 2);
  calls = 0, throws = false;
  CHECK_THROWS_AS(fit(*model, problem.examples, options(2, 2)), NonFinite);
  CHECK(model->training("test")->optimizer->iterations() == 4);
}

TEST_CASE("a configuration and its functions must fit") {
  auto model = make_model<float>(model_config("float32", "linear", 3));
  const auto message = [&](const test::Map& config, Custom<float> custom) {
    return message_of([&] { model->compile(config, std::move(custom)); });
  };
  int made = 0, resets = 0;
  const auto metric = first_value<float>(&made, &resets);
  CHECK(message(custom_config(), {}) ==
        "[model.compile] loss is \"custom\"; expected a function with it");
  CHECK(message(compile_config("mse"), {{squared<float>}, {}}) ==
        "[model.compile] loss is \"mse\"; expected \"custom\", for a function came with it");
  CHECK(message(custom_config("custom:0"), {{squared<float>}, {}}) ==
        "[model.compile] metrics is \"custom:0\"; expected 0 custom metrics, as many as came with "
        "it, \"custom:0\" first");
  for (const char* names : {"mse", "custom:1", "custom:0,custom:0", "custom:x"}) {
    CHECK(message(custom_config(names), {{squared<float>}, {metric}})
              .find("[model.compile] metrics") == 0);
  }
  CHECK(message(custom_config("mee"), {{squared<float>}, {}}).find("[metric] kind is \"mee\"") !=
        std::string::npos);
  CHECK(message(custom_config("mse,custom:0"), {{squared<float>}, {metric}}).empty());
}

TEST_CASE("a file with a custom loss continues bit for bit with the function, loads without") {
  const test::TempDir dir;
  const Problem<double> problem(10, 5, 3);
  auto model = make_model<double>(model_config("float64", "linear", 3));
  model->compile(custom_config(), {{squared<double>}, {}});
  fit(*model, problem.examples, options(4, 2));
  save_model(*model, dir.file("model"), {}, true);
  const ModelFile file(dir.file("model"));
  CHECK(message_of([&] { file.load<double>(); }).find("expected a function") != std::string::npos);
  CHECK(file.load<double>(false)->training() == nullptr);
  CHECK(weights(*file.load<double>(false)) == weights(*model));
  auto again = file.load<double>(true, {{squared<double>}, {}});
  fit(*again, problem.examples, options(4, 2));
  fit(*model, problem.examples, options(4, 2));
  CHECK(weights(*again) == weights(*model));
}

}  // namespace lstmfast::model
