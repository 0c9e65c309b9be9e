// Constraints on packed weights of every shape against the formulas on the logical matrix.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "base/team.h"
#include "constraints/constraint.h"
#include "ops/linear.h"
#include "ops/lstm.h"
#include "support.h"

namespace lstmfast::constraints {
namespace {

using base::Options;
using test::message_of;

// Of what each norm is.
enum class NormOf { column, row, whole };
const std::map<NormOf, base::Value> kAxes = {
    {NormOf::column, 0}, {NormOf::row, -1}, {NormOf::whole, base::Extents{0, 1}}};

template <class T>
std::unique_ptr<Constraint<T>> make(const std::string& kind, Options options, NormOf norm_of) {
  options["axis"] = kAxes.at(norm_of);
  return registry().make<T>(kind, options, 2);
}

// The factor of a vector of that norm.
double factor(const std::string& name, const Options& o, double n) {
  if (name == "unit_norm") return 1 / (1e-7 + n);
  const double within = name == "max_norm"
                            ? std::min(n, o.at("max_value").number())
                            : o.at("rate").number() * std::clamp(n, o.at("min_value").number(),
                                                                 o.at("max_value").number()) +
                                  (1 - o.at("rate").number()) * n;
  return within / (1e-7 + n);
}

// Applies a constraint to a part of a block of `size` elements that holds nothing else.
template <class T>
void check_part(const ops::PartLayout& part, index size, const std::string& name, NormOf norm_of,
                const Options& options) {
  test::Numbers numbers;
  std::vector<T> logical(static_cast<std::size_t>(part.rows * part.columns));
  for (T& x : logical) x = static_cast<T>(numbers.next());
  std::vector<T> block(static_cast<std::size_t>(size));
  ops::import_part(part, logical.data(), block.data());
  make<T>(name, options, norm_of)->apply(part, block.data());
  std::vector<T> got = logical;
  ops::export_part(part, block.data(), got.data());

  const auto at = [&](index r, index c) { return static_cast<std::size_t>(r * part.columns + c); };
  const auto norm = [&](index row, index column) {
    double sum = 0;
    for (index r = 0; r < part.rows; ++r)
      for (index c = 0; c < part.columns; ++c)
        if ((norm_of != NormOf::row || r == row) && (norm_of != NormOf::column || c == column))
          sum += static_cast<double>(logical[at(r, c)]) * static_cast<double>(logical[at(r, c)]);
    return std::sqrt(sum);
  };
  // A factor and a product rounded in T; the sums differ in order alone, in double.
  const double tolerance = 2 * static_cast<double>(std::numeric_limits<T>::epsilon()) + 1e-14;
  double inside = 0;
  for (index r = 0; r < part.rows; ++r) {
    for (index c = 0; c < part.columns; ++c) {
      const double w = static_cast<double>(logical[at(r, c)]);
      const double expected =
          name == "non_neg" ? std::max(w, 0.0) : w * factor(name, options, norm(r, c));
      const double value = static_cast<double>(got[at(r, c)]);
      REQUIRE(std::abs(value - expected) <= tolerance * std::abs(expected));
      inside += std::abs(value);
    }
  }
  // Nothing lies outside the logical elements.
  double all = 0;
  for (const T x : block) all += std::abs(static_cast<double>(x));
  CHECK(all == doctest::Approx(inside).epsilon(1e-12));
}

}  // namespace

TEST_CASE_TEMPLATE("constraints: formulas on packed parts; padding stays zero", T, float, double) {
  const std::vector<std::pair<std::string, Options>> rules = {
      {"max_norm", {{"max_value", 0.7}}},
      {"max_norm", {{"max_value", 50}}},
      {"min_max_norm", {{"min_value", 0.9}, {"max_value", 1.5}, {"rate", 1}}},
      {"min_max_norm", {{"min_value", 5}, {"max_value", 6}, {"rate", 0.25}}},
      {"unit_norm", {}},
      {"non_neg", {}},
  };
  for (const auto& [name, options] : rules) {
    for (const NormOf norm_of : {NormOf::column, NormOf::row, NormOf::whole}) {
      for (const index outputs : {1, 5, 16, 67, 130}) {
        const ops::LinearShape<T> shape(9, outputs);
        check_part<T>(shape.kernel(), shape.size(), name, norm_of, options);
        check_part<T>(shape.bias(), shape.size(), name, norm_of, options);
      }
      for (const index hidden : {1, 7, 16, 37}) {
        for (const bool coupled : {false, true}) {
          CellOptions cell;
          cell.coupled = coupled;
          const ops::LstmShape<T> shape(3, hidden, cell);
          for (const ops::LstmPart& part : shape.parts()) {
            if (part.layout.gates) check_part<T>(part.layout, shape.size(), name, norm_of, options);
          }
        }
      }
    }
  }
}

TEST_CASE("constraints: threads give the same bits") {
  const int before = base::team::get_num_threads();
  const ops::LinearShape<float> shape(300, 900);
  test::Numbers numbers;
  std::vector<float> start(static_cast<std::size_t>(shape.size()));
  for (float& x : start) x = static_cast<float>(numbers.next());
  for (const std::string& name : registry().kinds()) {
    for (const NormOf norm_of : {NormOf::column, NormOf::row, NormOf::whole}) {
      const auto run = [&](int threads) {
        base::team::set_num_threads(threads);
        std::vector<float> w = start;
        make<float>(name, {}, norm_of)->apply(shape.kernel(), w.data());
        return w;
      };
      CHECK(run(1) == run(3));
    }
  }
  base::team::set_num_threads(before);
}

TEST_CASE("constraints: errors say what is wrong") {
  const auto message = [](const char* name, const Options& options) {
    return message_of([&] { make<float>(name, options, NormOf::column); });
  };
  CHECK(message("l2", {}).find("[constraint] kind is \"l2\"; expected one of \"max_norm\", ") == 0);
  CHECK(message("max_norm", {{"max_value", -1}}) ==
        "[max_norm] max_value is -1; expected a number of at least 0");
  CHECK(message("min_max_norm", {{"rate", 1.5}}) ==
        "[min_max_norm] rate is 1.5; expected a number from 0 to 1");
  CHECK(message("min_max_norm", {{"min_value", 2}}) ==
        "[min_max_norm] min_value is 2; expected at most max_value, 1");
  CHECK(message("max_norm", {{"max_value", std::nan("")}}).find("max_value is nan") !=
        std::string::npos);
}

TEST_CASE("constraints: axes as Keras has them") {
  const auto message = [](const base::Value& axis, std::size_t rank) {
    return message_of([&] { registry().make<float>("unit_norm", {{"axis", axis}}, rank); });
  };
  for (const base::Value& axis : {base::Value(0), base::Value(-1)}) {
    CHECK(message(axis, 1).empty());
    CHECK(message(axis, 2).empty());
  }
  for (const base::Extents& axes : {base::Extents{0, 1}, base::Extents{-1, -2}, base::Extents{1}})
    CHECK(message(axes, 2).empty());
  CHECK(message(1, 1) == "[unit_norm] axis is 1; expected 0 for a weight of one axis");
  CHECK(message(base::Extents{0, 1}, 1) ==
        "[unit_norm] axis is (0, 1); expected 0 for a weight of one axis");
  CHECK(message(2, 2) == "[unit_norm] axis is 2; expected 0, 1 or (0, 1)");
  for (const base::Extents& axes : {base::Extents{}, base::Extents{0, -2}, base::Extents{0, 1, 0}})
    CHECK(message(axes, 2).find("expected 0, 1 or (0, 1)") != std::string::npos);
}

}  // namespace lstmfast::constraints
