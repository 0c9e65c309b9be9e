#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

#include "base/team.h"
#include "kernels/table.h"
#include "losses/loss.h"
#include "ops/vector.h"
#include "support.h"

namespace lstmfast::losses {
namespace {

using test::Matrix;
using test::message_of;
using test::Numbers;

template <class T>
LossBatch<T> batch_of(const Matrix<T>& prediction, const Matrix<T>& target,
                      Matrix<T>* gradient = nullptr, Matrix<T>* output = nullptr) {
  LossBatch<T> b;
  b.prediction_shape.samples = 1;  // where that matters, all rows are one signal
  b.rows = prediction.rows;
  b.columns = prediction.columns;
  b.prediction = prediction.data();
  b.prediction_stride = prediction.stride;
  b.target = target.data();
  b.target_stride = target.stride;
  if (gradient) b.gradient = gradient->data(), b.gradient_stride = gradient->stride;
  if (output) b.output = output->data(), b.output_stride = output->stride;
  return b;
}

template <class T>
Matrix<T> matrix(index rows, index columns, std::initializer_list<double> values) {
  Matrix<T> m(rows, columns);
  auto v = values.begin();
  m.fill([&](index, index) { return *v++; });
  return m;
}

// Options of kinds that need some, or whose defaults leave something out.
base::Options usual_options(const std::string& kind) {
  if (kind == "quantile") return {{"quantiles", base::Numbers{0.1, 0.75}}};
  if (kind == "mixture_negative_log_likelihood") return {{"components", 2}};
  if (kind == "esr") return {{"pre_emphasis", 0.9}, {"dc_weight", 0.5}};
  return {};
}

// Columns of predictions with about `count` columns that the loss takes.
index columns_for(const std::string& kind, index count) {
  if (kind == "quantile" || kind == "gaussian_negative_log_likelihood") return 2 * count;
  return kind == "mixture_negative_log_likelihood" ? 2 + 4 * count : count;
}

// Predictions and targets that suit the loss: probabilities, rows of probabilities, labels,
// positive or plain numbers.
struct Problem {
  Matrix<double> prediction, target;
};
Problem problem(const Loss<double>& loss, bool logits, index rows, index columns, index padding,
                index shift) {
  Numbers numbers;
  const std::string name = loss.name();
  const index target_columns = loss.target_columns(columns);
  Problem p{{rows, columns, padding, shift}, {rows, target_columns, 0, shift}};
  const bool probabilities =
      name.find("crossentropy") != std::string::npos || name == "kl_divergence";
  const bool positive =
      probabilities || name == "poisson" || name.find("likelihood") != std::string::npos;
  p.prediction.fill([&](index, index) {
    const double x = numbers.next();
    return positive && !logits ? 0.5 + 0.45 * x : 2 * x;
  });
  p.target.fill([&](index r, index) {
    const double x = numbers.next();
    if (name == "sparse_categorical_crossentropy")
      return static_cast<double>((r * 7 + 3) % columns);
    return probabilities ? 0.5 + 0.5 * x : 2 * x;
  });
  return p;
}

// Compares the gradient with central differences of the value.
void check_gradient(const Loss<double>& loss, bool fused, index rows, index columns, index padding,
                    index shift) {
  CAPTURE(std::string(loss.name()));
  CAPTURE(columns);
  CAPTURE(padding);
  Problem p = problem(loss, fused, rows, columns, padding, shift);
  Matrix<double> gradient(rows, columns, padding + 2, shift);
  const auto value = [&](Matrix<double>* g) {
    const LossBatch<double> b = batch_of(p.prediction, p.target, g);
    return fused ? loss.value_fused(b) : loss.value(b);
  };
  const double with_gradient = value(&gradient);
  CHECK(with_gradient == value(nullptr));
  CHECK(gradient.guards_intact());
  const double step = 1e-6;
  for (index r = 0; r < rows; ++r)
    for (index c = 0; c < columns; ++c) {
      const double kept = p.prediction.at(r, c);
      p.prediction.at(r, c) = kept + step;
      const double above = value(nullptr);
      p.prediction.at(r, c) = kept - step;
      const double below = value(nullptr);
      p.prediction.at(r, c) = kept;
      CHECK(gradient.at(r, c) ==
            doctest::Approx((above - below) / (2 * step)).epsilon(2e-7).scale(1));
    }
}

template <class T>
std::unique_ptr<Loss<T>> make(const std::string& kind, const base::Options& options = {}) {
  return registry().make<T>(kind, options.empty() ? usual_options(kind) : options);
}

}  // namespace

TEST_CASE_TEMPLATE("losses: values by hand", T, float, double) {
  const auto value = [](const char* name, const Matrix<T>& p, const Matrix<T>& t,
                        const base::Options& options = {}) {
    return make<T>(name, options)->value(batch_of(p, t));
  };
  const auto near = [](double x) {
    return doctest::Approx(x).epsilon(20 * std::numeric_limits<T>::epsilon());
  };
  const auto p = matrix<T>(2, 2, {1, 2, 3, 4}), t = matrix<T>(2, 2, {1, 1, 5, 4.5});
  CHECK(value("mse", p, t) == near((0 + 1 + 4 + 0.25) / 4));
  CHECK(value("mae", p, t) == near((0 + 1 + 2 + 0.5) / 4));
  CHECK(value("huber", p, t) == near((0 + 0.5 + 1.5 + 0.125) / 4));
  CHECK(value("huber", p, t, {{"delta", 0.5}}) == near((0 + 0.375 + 0.875 + 0.125) / 4));

  const auto q = matrix<T>(2, 3, {0.25, 0.25, 0.5, 0.125, 0.75, 0.125}),
             one_hot = matrix<T>(2, 3, {0, 0, 1, 1, 0, 0});
  const double expected = (std::log(2) + std::log(8)) / 2;
  CHECK(value("categorical_crossentropy", q, one_hot) == near(expected));
  CHECK(value("sparse_categorical_crossentropy", q, matrix<T>(2, 1, {2, 0})) == near(expected));
  // rows are divided by their sum
  CHECK(value("categorical_crossentropy", matrix<T>(1, 2, {1, 3}), matrix<T>(1, 2, {1, 0})) ==
        near(std::log(4)));
  // smoothing by 0.3: 0.1, 0.1, 0.8
  CHECK(value("categorical_crossentropy", matrix<T>(1, 3, {0.25, 0.25, 0.5}),
              matrix<T>(1, 3, {0, 0, 1}),
              {{"label_smoothing", 0.3}}) == near(0.2 * std::log(4) + 0.8 * std::log(2)));

  const auto b = matrix<T>(2, 1, {0.25, 0.5});
  CHECK(value("binary_crossentropy", b, matrix<T>(2, 1, {1, 0})) ==
        near((std::log(4) + std::log(2)) / 2));
  CHECK(value("binary_crossentropy", b, matrix<T>(2, 1, {1, 0}), {{"label_smoothing", 0.5}}) ==
        near((0.75 * std::log(4) + 0.25 * std::log(4.0 / 3) + std::log(2)) / 2));
  CHECK(value("binary_crossentropy", matrix<T>(1, 1, {0}), matrix<T>(1, 1, {1}),
              {{"from_logits", true}}) == near(std::log(2)));
  // probabilities are limited to 1e-7 .. 1 - 1e-7
  CHECK(value("binary_crossentropy", matrix<T>(1, 1, {0}), matrix<T>(1, 1, {1})) ==
        near(-std::log(1e-7)));
}

TEST_CASE("losses: gradients are the central differences of the values, for every tail") {
  const index lanes = kernels::table<double>().lanes;
  for (const std::string& name : registry().kinds()) {
    const auto loss = make<double>(name);
    for (index columns = 1; columns <= 2 * lanes + 1; ++columns)
      for (const index padding : {index{0}, index{3}}) {
        check_gradient(*loss, false, 3, columns_for(name, columns), padding, 1);
        for (const Activation last : {Activation::sigmoid, Activation::softmax})
          if (loss->fuses(last)) check_gradient(*loss, true, 3, columns, padding, 1);
      }
  }
  for (const char* name : {"binary_crossentropy", "categorical_crossentropy"}) {
    const auto smoothed = make<double>(name, {{"label_smoothing", 0.2}});
    check_gradient(*smoothed, false, 2, 5, 0, 0);
    check_gradient(*smoothed, true, 2, 5, 0, 0);
  }
  for (const char* spread : {"variance", "log_variance"}) {
    check_gradient(*make<double>("gaussian_nll", {{"spread", spread}}), false, 2, 6, 0, 0);
  }
}

TEST_CASE_TEMPLATE("losses: fused with the last activation is the same loss", T, float, double) {
  const double tolerance = 60 * std::numeric_limits<T>::epsilon();
  for (const std::string& name : registry().kinds()) {
    const auto loss = make<T>(name);
    const auto probe = make<double>(name);
    for (const Activation last : {Activation::sigmoid, Activation::softmax}) {
      if (!loss->fuses(last)) continue;
      for (const index columns : {2, 3, 10, 17, 40}) {
        CAPTURE(name);
        CAPTURE(columns);
        const Problem wide = problem(*probe, true, 5, columns, 0, 0);
        Matrix<T> x(5, columns, 1), target(5, wide.target.columns), y(5, columns, 1);
        x.fill([&](index r, index c) { return wide.prediction.at(r, c); });
        target.fill([&](index r, index c) { return wide.target.at(r, c); });
        ops::activate({last}, index{5}, columns, x.data(), x.stride, y.data(), y.stride);
        Matrix<T> dy(5, columns, 2), dx(5, columns), fused(5, columns, 3), output(5, columns, 4);
        const double value = loss->value(batch_of(y, target, &dy));
        ops::activate_backward({last}, index{5}, columns, y.data(), y.stride, dy.data(), dy.stride,
                               dx.data(), dx.stride);
        CHECK(loss->value_fused(batch_of(x, target, &fused, &output)) ==
              doctest::Approx(value).epsilon(tolerance));
        CHECK(output.guards_intact());
        for (index r = 0; r < 5; ++r)
          for (index c = 0; c < columns; ++c) {
            CHECK(fused.at(r, c) == doctest::Approx(dx.at(r, c)).epsilon(tolerance).scale(1));
            CHECK(output.at(r, c) == y.at(r, c));
          }
        // in place, and without a gradient, the output has the same bits
        Matrix<T> in_place = x;
        LossBatch<T> b = batch_of(in_place, target, static_cast<Matrix<T>*>(nullptr), &in_place);
        CHECK(loss->value_fused(b) == loss->value_fused(batch_of(x, target)));
        for (index c = 0; c < columns; ++c) CHECK(in_place.at(4, c) == y.at(4, c));
      }
    }
  }
}

TEST_CASE_TEMPLATE("losses: fused from far-out logits stays finite and exact", T, float, double) {
  Matrix<T> gradient(2, 2);
  const auto scce = make<T>("sparse_categorical_crossentropy");
  const auto far = matrix<T>(2, 2, {1000, -1000, 1000, -1000});
  CHECK(scce->value_fused(batch_of(far, matrix<T>(2, 1, {0, 1}), &gradient)) == 1000);
  CHECK(gradient.at(0, 0) == 0);
  CHECK(gradient.at(1, 0) == T(0.5));
  CHECK(gradient.at(1, 1) == T(-0.5));
  const T infinity = std::numeric_limits<T>::infinity();
  const auto cce = make<T>("categorical_crossentropy");
  CHECK(cce->value_fused(batch_of(matrix<T>(1, 3, {0, 0, -infinity}),
                                  matrix<T>(1, 3, {1, 0, 0}))) == doctest::Approx(std::log(2)));
  const auto bce = make<T>("binary_crossentropy");
  CHECK(bce->value_fused(batch_of(far, matrix<T>(2, 2, {1, 0, 0, 1}), &gradient)) == 500);
  CHECK(gradient.at(0, 0) == 0);
  CHECK(gradient.at(1, 0) == T(0.25));
  CHECK(gradient.at(1, 1) == T(-0.25));
}

TEST_CASE("losses: a NaN anywhere makes the loss NaN") {
  for (const std::string& name : registry().kinds())
    for (index c = 0; c < columns_for(name, 19); ++c) {
      CAPTURE(name);
      const auto loss = make<float>(name);
      const index columns = columns_for(name, 19);
      Matrix<float> p(1, columns), t(1, loss->target_columns(columns));
      p.fill([](index, index) { return 0.05; });
      t.fill([&](index, index) { return c % 2; });
      p.at(0, c) = std::numeric_limits<float>::quiet_NaN();
      CHECK(std::isnan(loss->value(batch_of(p, t))));
      for (const Activation last : {Activation::sigmoid, Activation::softmax})
        if (loss->fuses(last)) CHECK(std::isnan(loss->value_fused(batch_of(p, t))));
    }
}

TEST_CASE_TEMPLATE("losses: rows of weight 0 are skipped, whatever they hold", T, float, double) {
  const T weights[] = {1, 0, 2};
  for (const std::string& name : registry().kinds()) {
    CAPTURE(name);
    const auto loss = make<T>(name);
    const index columns = columns_for(name, 3);
    const Problem wide = problem(*make<double>(name), false, 3, columns, 0, 0);
    Matrix<T> p(3, columns), t(3, wide.target.columns), gradient(3, columns);
    p.fill([&](index r, index c) { return wide.prediction.at(r, c); });
    t.fill([&](index r, index c) { return wide.target.at(r, c); });
    LossBatch<T> batch = batch_of(p, t, &gradient);
    batch.weights = weights;
    const double value = loss->value(batch);
    CHECK(std::isfinite(value));
    CHECK(value != 0);
    for (index c = 0; c < columns; ++c) p.at(1, c) = std::numeric_limits<T>::quiet_NaN();
    CHECK(loss->value(batch) == value);
    for (index r = 0; r < 3; ++r)
      for (index c = 0; c < columns; ++c) {
        CHECK(std::isfinite(gradient.at(r, c)));
        if (r == 1) CHECK(gradient.at(r, c) == 0);
      }
  }
}

TEST_CASE("losses: reductions") {
  const auto p = matrix<double>(2, 2, {1, 2, 3, 4}), t = matrix<double>(2, 2, {1, 1, 5, 6});
  const double weights[] = {1, 3};  // of rows with the means 0.5 and 4
  const auto value = [&](const char* reduction, const double* of_rows) {
    LossBatch<double> batch = batch_of(p, t);
    batch.weights = of_rows;
    return make<double>("mse", {{"reduction", reduction}})->value(batch);
  };
  CHECK(value("sum_over_batch_size", nullptr) == 2.25);
  CHECK(value("mean", weights) == 6.25);
  CHECK(value("sum", nullptr) == 4.5);
  CHECK(value("sum", weights) == 12.5);
  CHECK(value("mean_with_sample_weight", nullptr) == 2.25);
  CHECK(value("mean_with_sample_weight", weights) == 3.125);
  double each[2];
  make<double>("mse")->values(batch_of(p, t), each);
  CHECK(each[0] == 0.5);
  CHECK(each[1] == 4);
}

TEST_CASE("losses: the same bits for any number of threads") {
  const int before = base::team::get_num_threads();
  for (const std::string& name : registry().kinds()) {
    const auto loss = make<double>(name);
    const index rows = 9002, columns = columns_for(name, 13);
    Problem p = problem(*loss, false, rows, columns, 0, 0);
    Matrix<double> one(rows, columns), many(rows, columns);
    const auto value_of = [&](Matrix<double>* gradient) {
      LossBatch<double> batch = batch_of(p.prediction, p.target, gradient);
      batch.prediction_shape.samples = 643;  // of 14 rows
      return loss->value(batch);
    };
    base::team::set_num_threads(1);
    const double value = value_of(&one);
    for (const int threads : {2, 3}) {
      base::team::set_num_threads(threads);
      CHECK(value_of(&many) == value);
      for (index i = 0; i < rows * columns; ++i) REQUIRE(one.data()[i] == many.data()[i]);
    }
  }
  base::team::set_num_threads(before);
}

TEST_CASE("losses: errors say what is wrong") {
  CHECK(message_of([] {
          make<float>("msee");
        }).find("[loss] kind is \"msee\"; expected one of \"mean_squared_error\", ") == 0);
  CHECK(registry().at("mae").kind == "mean_absolute_error");
  CHECK(message_of([] { make<float>("huber", {{"delta", 0.0}}); }) ==
        "[huber] delta is 0; expected a number above 0");
  CHECK(message_of([] { make<float>("quantile")->target_columns(3); }) ==
        "[quantile] prediction has 3 columns; expected a multiple of 2, the quantiles of each "
        "target");
  CHECK(message_of([] { make<float>("gaussian_nll")->target_columns(3); }) ==
        "[gaussian_negative_log_likelihood] prediction has 3 columns; expected an even number, the "
        "means of all targets and then their spreads");
  CHECK(message_of([] { make<float>("mixture_nll", {{"components", 2}})->target_columns(9); }) ==
        "[mixture_negative_log_likelihood] prediction has 9 columns; expected 2 * (1 + 2 * "
        "dimensions), what MixtureDensity(2, dimensions) returns");
  const auto scce = make<float>("sparse_categorical_crossentropy");
  const auto p = matrix<float>(2, 3, {1, 2, 3, 4, 5, 6});
  for (const double label : {3.0, -1.0, 0.5, std::nan(""), 1e30}) {
    const auto t = matrix<float>(2, 1, {2, label});
    CHECK(message_of([&] { scce->value(batch_of(p, t)); }).find("target of row 1 is ") !=
          std::string::npos);
    CHECK(message_of([&] { scce->value_fused(batch_of(p, t)); }).find("row 1") !=
          std::string::npos);
  }
  CHECK(
      message_of([&] { scce->check_targets(2, 3, matrix<float>(2, 1, {2, 3}).data(), 1); }) ==
      "[sparse_categorical_crossentropy] target of row 1 is 3; expected a whole number of 0 .. 2");
}

// As another thread may write them after they were checked.
TEST_CASE_TEMPLATE("losses: kernels take no label out of its row", T, float, double) {
  const auto& table = kernels::table<T>();
  for (const auto kernel : {table.categorical_crossentropy, table.softmax_crossentropy}) {
    for (const double label : {3.0, -1.0, std::nan(""), 1e18, -1e18, HUGE_VAL, -HUGE_VAL}) {
      auto prediction = matrix<T>(1, 3, {0.25, 0.25, 0.5});
      Matrix<T> gradient(1, 3);
      const T target = static_cast<T>(label);
      double total = 0;
      kernels::LossRows<T> rows{};
      rows.rows = 1;
      rows.columns = rows.prediction_stride = rows.gradient_stride = 3;
      rows.prediction = prediction.data();
      rows.target = &target;
      rows.labels = true;
      const T no_smoothing = 0;
      rows.parameters = &no_smoothing;
      rows.scale = 1;
      rows.gradient = gradient.data();
      rows.total = &total;
      kernel(rows);
      CHECK(std::isfinite(total));
      CHECK(gradient.guards_intact());
    }
  }
}

TEST_CASE("losses: shapes of targets") {
  const auto mse = make<float>("mse"), scce = make<float>("sparse_categorical_crossentropy"),
             cce = make<float>("categorical_crossentropy");
  mse->check_shapes({8, 2}, {8, 2});
  mse->check_shapes({8, 1}, {8});
  mse->check_shapes({8, 5, 1}, {8, 5});
  scce->check_shapes({8, 10}, {8});
  scce->check_shapes({8, 10}, {8, 1});
  scce->check_shapes({8, 5, 10}, {8, 5});
  CHECK(
      message_of([&] { mse->check_shapes({8, 2}, {8, 3}); }) ==
      "[mean_squared_error] target has shape (8, 3); expected (8, 2), the shape of the prediction");
  CHECK(message_of([&] { cce->check_shapes({8, 10}, {8}); }).find("use sparse_categorical") !=
        std::string::npos);
  const auto gaussian = make<float>("gaussian_nll"), esr = make<float>("esr");
  gaussian->check_shapes({8, 2}, {8});
  gaussian->check_shapes({8, 5, 4}, {8, 5, 2});
  CHECK(message_of([&] { gaussian->check_shapes({8, 2}, {8, 2}); }) ==
        "[gaussian_negative_log_likelihood] target has shape (8, 2); expected (8,) or (8, 1), 1 "
        "value for each row of the prediction (8, 2)");
  CHECK(message_of([&] { gaussian->check_shapes({8, 4}, {8, 4}); }) ==
        "[gaussian_negative_log_likelihood] target has shape (8, 4); expected (8, 2), 2 values for "
        "each row of the prediction (8, 4)");
  CHECK(message_of([&] { esr->check_shapes({8, 1}, {8, 1}); }) ==
        "[esr] prediction has shape (8, 1); expected (batch, steps, channels)");
  CHECK(message_of([&] { scce->check_shapes({8, 10}, {8, 10}); }) ==
        "[sparse_categorical_crossentropy] target has shape (8, 10); expected (8,) or (8, 1), one "
        "label for each row of "
        "the prediction (8, 10) (for rows of probabilities use categorical_crossentropy)");
}

}  // namespace lstmfast::losses
