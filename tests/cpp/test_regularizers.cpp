// Penalties on packed weights of every shape against the formulas on the logical matrix.
#include <doctest/doctest.h>

#include <cmath>

#include "base/team.h"
#include "ops/linear.h"
#include "ops/lstm.h"
#include "regularizers/regularizer.h"
#include "support.h"

namespace lstmfast::regularizers {
namespace {

using base::Options;
using test::message_of;

std::vector<double> numbers(index count) {
  test::Numbers next;
  std::vector<double> out(static_cast<std::size_t>(count));
  for (double& x : out) x = next.next();
  return out;
}

// The penalty on a logical matrix.
double formula(const std::string& name, const Options& o, index rows, index columns,
               const std::vector<double>& w) {
  if (name != "orthogonal_regularizer") {
    double total = 0;
    for (const double x : w) {
      if (name != "l2") total += o.at("l1").number() * std::abs(x);
      if (name != "l1") total += o.at("l2").number() * x * x;
    }
    return total;
  }
  const bool of_columns = o.at("columns").flag();
  const index n = of_columns ? columns : rows, m = of_columns ? rows : columns;
  const auto at = [&](index vector, index k) {
    return w[static_cast<std::size_t>(of_columns ? k * columns + vector : vector * columns + k)];
  };
  double total = 0;
  for (index i = 0; i < n; ++i) {
    for (index j = 0; j < i; ++j) {
      double dot = 0, a = 0, b = 0;
      for (index k = 0; k < m; ++k) {
        dot += at(i, k) * at(j, k);
        a += at(i, k) * at(i, k);
        b += at(j, k) * at(j, k);
      }
      total += std::abs(dot) / std::sqrt(a * b);
    }
  }
  return o.at("factor").number() * total / (0.5 * static_cast<double>(n * (n - 1)));
}

// Value and gradient on a part of a block of `size` elements that holds nothing else.
template <class T>
void check_part(const ops::PartLayout& part, index size, const std::string& name,
                const Options& options) {
  CAPTURE(name);
  CAPTURE(part.columns);
  std::vector<double> w = numbers(part.rows * part.columns);
  std::vector<T> logical(w.begin(), w.end());
  w.assign(logical.begin(), logical.end());
  std::vector<T> block(static_cast<std::size_t>(size)), gradient(block.size());
  ops::import_part(part, logical.data(), block.data());
  const auto rule = registry().make<T>(name, options);
  const double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(rule->value(part, block.data()) ==
        doctest::Approx(formula(name, options, part.rows, part.columns, w)).epsilon(32 * eps));

  // Added twice to a half.
  std::vector<T> start(logical.size(), T(0.5));
  ops::import_part(part, start.data(), gradient.data());
  for (int i = 0; i < 2; ++i) rule->add_gradient(part, block.data(), T(3), gradient.data());
  ops::export_part(part, gradient.data(), start.data());
  double inside = 0, all = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double h = 1e-6, x = w[i];
    double values[2];
    for (const int side : {0, 1}) {
      w[i] = x + (side == 0 ? h : -h);
      values[side] = formula(name, options, part.rows, part.columns, w);
    }
    w[i] = x;
    const double expected = 0.5 + 6 * (values[0] - values[1]) / (2 * h);
    CHECK(static_cast<double>(start[i]) == doctest::Approx(expected).epsilon(1e-7 + 16 * eps));
    inside += std::abs(static_cast<double>(start[i]));
  }
  for (const T x : gradient) all += std::abs(static_cast<double>(x));
  CHECK(all == doctest::Approx(inside).epsilon(1e-12));  // nothing in the padding
}

}  // namespace

TEST_CASE_TEMPLATE("regularizers: values and gradients on packed parts", T, float, double) {
  const std::vector<std::pair<std::string, Options>> rules = {
      {"l1", {{"l1", 0.25}}},
      {"l2", {{"l2", 0.5}}},
      {"l1_l2", {{"l1", 0.125}, {"l2", 0.75}}},
      {"orthogonal_regularizer", {{"factor", 0.5}, {"columns", false}}},
      {"orthogonal_regularizer", {{"factor", 0.5}, {"columns", true}}},
  };
  for (const auto& [name, options] : rules) {
    for (const index outputs : {2, 5, 35}) {
      const ops::LinearShape<T> shape(6, outputs);
      check_part<T>(shape.kernel(), shape.size(), name, options);
      if (name[0] == 'l') check_part<T>(shape.bias(), shape.size(), name, options);
    }
    for (const index hidden : {2, 7}) {
      CellOptions cell;
      cell.coupled = hidden == 7;
      const ops::LstmShape<T> shape(3, hidden, cell);
      for (const ops::LstmPart& part : shape.parts()) {
        if (part.layout.gates && (name[0] == 'l' || part.layout.rows > 1))
          check_part<T>(part.layout, shape.size(), name, options);
      }
    }
  }
}

TEST_CASE("regularizers: threads give the same bits") {
  const int before = base::team::get_num_threads();
  const ops::LinearShape<float> shape(200, 700);
  const std::vector<double> start = numbers(shape.size());
  const std::vector<float> block(start.begin(), start.end());
  for (const std::string& name : registry().kinds()) {
    const auto rule = registry().make<float>(name, Options());
    const auto run = [&](int threads) {
      base::team::set_num_threads(threads);
      std::vector<float> gradient(block.size());
      rule->add_gradient(shape.kernel(), block.data(), 1.0f, gradient.data());
      return std::make_pair(rule->value(shape.kernel(), block.data()), gradient);
    };
    CHECK(run(1) == run(3));
  }
  base::team::set_num_threads(before);
}

TEST_CASE("regularizers: a row of zeros has finite gradients") {
  const ops::LinearShape<double> shape(3, 2);
  std::vector<double> block(static_cast<std::size_t>(shape.size())), gradient(block.size());
  const std::vector<double> w = {0, 0, 1, 2, 3, -1};
  ops::import_part(shape.kernel(), w.data(), block.data());
  const auto rule = registry().make<double>("orthogonal_regularizer", Options());
  CHECK(std::isfinite(rule->value(shape.kernel(), block.data())));
  rule->add_gradient(shape.kernel(), block.data(), 1.0, gradient.data());
  for (const double g : gradient) CHECK(std::isfinite(g));
}

TEST_CASE("regularizers: errors say what is wrong") {
  const auto message = [](const char* name, const Options& options) {
    return message_of([&] { registry().make<float>(name, options); });
  };
  CHECK(message("l0", {}).find("[regularizer] kind is \"l0\"; expected one of \"l1\", ") == 0);
  CHECK(message("l1_l2", {{"l2", -1}}) == "[l1_l2] l2 is -1; expected a number of at least 0");
  const auto orthogonal = registry().make<float>("orthogonal_regularizer", Options());
  CHECK_FALSE(orthogonal->suits({4}));
  CHECK_FALSE(orthogonal->suits({1, 4}));
  CHECK_FALSE(orthogonal->suits({}));
  CHECK(orthogonal->suits({2, 1}));
}

}  // namespace lstmfast::regularizers
