#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/team.h"
#include "kernels/table.h"
#include "metrics/metric.h"
#include "support.h"

namespace lstmfast::metrics {
namespace {

using test::Matrix;
using test::message_of;
using test::Numbers;

template <class T>
MetricBatch<T> batch_of(const Matrix<T>& p, const Matrix<T>& t) {
  MetricBatch<T> b;
  b.rows = p.rows;
  b.columns = p.columns;
  b.prediction = p.data();
  b.prediction_stride = p.stride;
  b.target = t.data();
  b.target_stride = t.stride;
  return b;
}

template <class T>
std::unique_ptr<Metric<T>> make_metric(const char* name, index columns, index target_columns,
                                       base::Options options = {}) {
  auto out = registry().make<T>(name, std::move(options));
  out->suit({name, columns, target_columns});
  return out;
}

template <class T>
double result(const std::unique_ptr<Metric<T>>& metric) {
  REQUIRE(metric->size() == 1);
  double value;
  metric->results(&value);
  return value;
}

}  // namespace

TEST_CASE_TEMPLATE("metrics: means over all batches of an epoch", T, float, double) {
  Matrix<T> p(2, 2, 1), t(2, 2), q(1, 2), u(1, 2);
  p.fill([](index r, index c) { return 2 * r + c; });  // 0 1 2 3
  t.fill([](index r, index c) { return r + c; });      // 0 1 1 2
  q.fill([](index, index) { return 5; });
  u.fill([](index, index c) { return 1 + c; });  // errors 4 and 3
  const auto mean = [&](const char* name) {
    const auto metric = make_metric<T>(name, 2, 2);
    CHECK(result(metric) == 0);
    metric->accumulate(batch_of(q, q));
    metric->reset();
    metric->accumulate(batch_of(p, t));
    metric->accumulate(batch_of(q, u));
    return result(metric);
  };
  CHECK(mean("mse") == doctest::Approx((0 + 0 + 1 + 1 + 16 + 9) / 6.0));
  CHECK(mean("mean_squared_error") == doctest::Approx(27 / 6.0));
  CHECK(mean("rmse") ==
        doctest::Approx(std::sqrt(27 / 6.0)));  // the root of the mean, not the mean of roots
  CHECK(mean("mae") == doctest::Approx(9 / 6.0));
}

TEST_CASE_TEMPLATE("metrics: accuracy chooses by shapes, as Keras does", T, float, double) {
  for (const char* name : {"accuracy", "acc"}) {
    Matrix<T> p(4, 1), t(4, 1);
    p.fill(
        [](index r, index) { return r * 0.25; });  // 0, 0.25, 0.5, 0.75: only the last is above 0.5
    t.fill([](index r, index) { return r >= 2; });
    auto metric = make_metric<T>(name, 1, 1);
    metric->accumulate(batch_of(p, t));
    CHECK(result(metric) == 0.75);

    Matrix<T> scores(3, 3), rows(3, 3), labels(3, 1);
    scores.fill([](index r, index c) { return c == r ? 0.4 : 0.3; });
    rows.fill([](index r, index c) { return c == (r == 0 ? 1 : r); });
    labels.fill([](index r, index) { return r == 2 ? 0 : r; });
    metric = make_metric<T>(name, 3, 3);
    metric->accumulate(batch_of(scores, rows));
    CHECK(result(metric) == doctest::Approx(2.0 / 3));
    metric = make_metric<T>(name, 3, 1);
    metric->accumulate(batch_of(scores, labels));
    CHECK(result(metric) == doctest::Approx(2.0 / 3));
  }
}

TEST_CASE_TEMPLATE(
    "metrics: accuracy for every tail, the first of equals, in any number of threads", T, float,
    double) {
  const index lanes = kernels::table<T>().lanes;
  for (index columns = 2; columns <= 2 * lanes + 1; ++columns)
    for (index label = 0; label < columns; ++label) {
      Matrix<T> p(1, columns, 3, 1), t(1, 1);
      p.fill([&](index, index c) { return c >= label ? -1 : -2; });
      t.at(0, 0) = T(label);
      const auto metric = make_metric<T>("sparse_categorical_accuracy", columns, 1);
      metric->accumulate(batch_of(p, t));
      CHECK(result(metric) == 1);
      Matrix<T> bits(1, columns, 3, 1), decisions(1, columns, 0, 2);
      bits.fill([&](index, index c) { return c == label; });
      decisions.fill([&](index, index c) { return c == label ? 0.9 : 0.1; });
      const auto binary = make_metric<T>("binary_accuracy", columns, columns);
      binary->accumulate(batch_of(decisions, bits));
      CHECK(result(binary) == 1);
      bits.at(0, columns - 1) = T(0.7);  // neither 0 nor 1
      binary->reset();
      binary->accumulate(batch_of(decisions, bits));
      CHECK(result(binary) == doctest::Approx(double(columns - 1) / double(columns)));
    }
  const int before = base::team::get_num_threads();
  Matrix<T> p(20001, 5), t(20001, 1);
  Numbers numbers;
  p.fill([&](index, index) { return numbers.next(); });
  t.fill([](index r, index) { return r % 5; });
  double results[2];
  for (const int threads : {1, 2}) {
    base::team::set_num_threads(threads);
    const auto metric = make_metric<T>("accuracy", 5, 1);
    metric->accumulate(batch_of(p, t));
    results[threads - 1] = result(metric);
  }
  base::team::set_num_threads(before);
  CHECK(results[0] == results[1]);
  CHECK(results[0] == doctest::Approx(0.2).epsilon(0.1));
}

TEST_CASE_TEMPLATE("metrics: rows of weight 0 do nothing, whatever they hold", T, float, double) {
  constexpr index kColumns = 6;
  for (const std::string& kind : registry().kinds()) {
    CAPTURE(kind);
    const bool mixture = kind.find("mixture") == 0, values = kind == "mean";
    const bool one = mixture || kind.find("sparse") == 0;
    base::Options options;
    if (mixture) options["components"] = 2;
    Matrix<T> p(6, kColumns, 3), t(6, one ? 1 : kind.find("gaussian") == 0 ? 3 : kColumns);
    Numbers numbers;  // the logarithm of Poisson's loss takes what is above 0
    p.fill([&](index r, index) { return r % 2 == 0 ? std::nan("") : std::abs(numbers.next()); });
    // the loss looks at every label, for one out of range would lead outside of its row
    const double junk = kind == "sparse_categorical_crossentropy" ? 5 : std::nan("");
    t.fill([&](index r, index c) { return r % 2 == 0 ? junk : double((r + c) % 2); });
    T weights[6], all[3] = {1, 1, 1};
    for (index r = 0; r < 6; ++r) weights[r] = T(r % 2);
    const auto metric =
        make_metric<T>(kind.c_str(), kColumns, values ? kNoTarget : t.columns, options);
    const auto results = [&](const MetricBatch<T>& batch) {
      std::vector<double> out(static_cast<std::size_t>(metric->size()));
      metric->reset();
      metric->accumulate(batch);
      metric->results(out.data());
      return out;
    };
    MetricBatch<T> batch = batch_of(p, t);
    batch.weights = weights;
    const std::vector<double> found = results(batch);
    MetricBatch<T> others = batch_of(p, t);  // rows 1, 3 and 5
    others.rows = 3;
    others.prediction += p.stride, others.prediction_stride *= 2;
    others.target += t.stride, others.target_stride *= 2;
    others.weights = all;
    CHECK(found == results(others));
    for (const double each : found) CHECK(std::isfinite(each));
    metric->reset();
    std::vector<double> none(found.size(), 1.0);
    metric->results(none.data());
    for (const double each : none) CHECK(each == 0);
  }
}

TEST_CASE("metrics: errors say what is wrong") {
  CHECK(message_of([] {
          make_metric<float>("msee", 1, 1);
        }).find("[metric] kind is \"msee\"; expected one of \"mean_squared_error\", ") == 0);
  CHECK(message_of([] { make_metric<float>("mse", 3, 1); }) ==
        "[mse] target has 1 values a row; expected 3, as the prediction");
}

}  // namespace lstmfast::metrics
