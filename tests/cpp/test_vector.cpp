#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "activations.h"
#include "base/team.h"
#include "kernels/table.h"
#include "ops/vector.h"
#include "support.h"

namespace lstmfast::ops {
namespace {

using test::Matrix;
using test::Numbers;

using test::kElementwise;
using test::scalar_activation;

template <class T>
doctest::Approx near(double x, double scale = 1e-30) {
  return doctest::Approx(x).epsilon(8 * std::numeric_limits<T>::epsilon()).scale(scale);
}

// Is the error one of x (up to 5), here or in the formula compared with?
bool errs_like_x(Activation kind) {
  switch (kind) {
    case Activation::hard_sigmoid:
    case Activation::gelu:
    case Activation::gelu_tanh:
    case Activation::tanh_shrink:
    case Activation::log_sigmoid:
    case Activation::hard_silu:
    case Activation::soft_shrink:
    case Activation::sparse_sigmoid:
    case Activation::squareplus:
    case Activation::affine:
      return true;
    default:
      return false;
  }
}

}  // namespace

TEST_CASE_TEMPLATE("vector: activations for every tail and stride", T, float, double) {
  const index lanes = kernels::table<T>().lanes;
  for (const ActivationSpec& a : kElementwise)
    for (index columns = 1; columns <= 2 * lanes + 1; ++columns)
      for (const index padding : {index{0}, index{5}}) {
        CAPTURE(static_cast<int>(a.kind));
        CAPTURE(columns);
        Numbers numbers;
        Matrix<T> x(3, columns, padding, 1), y(3, columns, padding, 2);
        x.fill([&](index, index) { return 5 * numbers.next(); });
        activate(a, x.rows, columns, x.data(), x.stride, y.data(), y.stride);
        CHECK(y.guards_intact());
        const double scale = errs_like_x(a.kind) ? 5 : 1e-30;
        for (index r = 0; r < 3; ++r)
          for (index c = 0; c < columns; ++c)
            CHECK(y.at(r, c) == near<T>(scalar_activation(a, x.at(r, c)), scale));
        activate(a, x.rows, columns, x.data(), x.stride, x.data(), x.stride);
        for (index r = 0; r < 3; ++r)
          for (index c = 0; c < columns; ++c) CHECK(x.at(r, c) == y.at(r, c));
      }
}

TEST_CASE("vector: slopes are central differences of the activations") {
  const double step = 1e-6;
  for (const ActivationSpec& a : kElementwise)
    for (const double x : {-4.0, -2.9, -0.5, -0.01, 0.01, 0.7, 2.9, 4.0}) {
      CAPTURE(static_cast<int>(a.kind));
      CAPTURE(x);
      const double y = scalar_activation(a, x), dy = 3;
      double dx = 0;
      activate_backward(a, index{1}, index{1}, needs_input(a) ? &x : &y, 1, &dy, 1, &dx, 1);
      const double expected =
          3 * (scalar_activation(a, x + step) - scalar_activation(a, x - step)) / (2 * step);
      CHECK(dx == doctest::Approx(expected).epsilon(1e-8).scale(1));
    }
}

TEST_CASE_TEMPLATE("vector: softmax and its backward for every tail", T, float, double) {
  const index lanes = kernels::table<T>().lanes;
  for (index columns = 1; columns <= 2 * lanes + 1; ++columns) {
    CAPTURE(columns);
    Numbers numbers;
    Matrix<T> x(3, columns, 2, 1), y(3, columns, 0, 3), dy(3, columns, 1), dx(3, columns, 4);
    x.fill([&](index r, index) { return 4 * numbers.next() - 500 * static_cast<double>(r); });
    dy.fill([&](index, index) { return numbers.next(); });
    activate({Activation::softmax}, x.rows, columns, x.data(), x.stride, y.data(), y.stride);
    activate_backward({Activation::softmax}, x.rows, columns, y.data(), y.stride, dy.data(),
                      dy.stride, dx.data(), dx.stride);
    CHECK(y.guards_intact());
    CHECK(dx.guards_intact());
    for (index r = 0; r < 3; ++r) {
      double sum = 0, dot = 0;
      for (index c = 0; c < columns; ++c) sum += std::exp(double(x.at(r, c)) - double(x.at(r, 0)));
      for (index c = 0; c < columns; ++c) dot += double(y.at(r, c)) * double(dy.at(r, c));
      for (index c = 0; c < columns; ++c) {
        CHECK(y.at(r, c) == near<T>(std::exp(double(x.at(r, c)) - double(x.at(r, 0))) / sum));
        CHECK(dx.at(r, c) == doctest::Approx(double(y.at(r, c)) * (double(dy.at(r, c)) - dot))
                                 .epsilon(8 * std::numeric_limits<T>::epsilon())
                                 .scale(1));
      }
    }
  }
}

TEST_CASE_TEMPLATE("vector: NaN in, NaN out", T, float, double) {
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const ActivationSpec& a : kElementwise) {
    CAPTURE(static_cast<int>(a.kind));
    T y = 0;
    activate(a, index{1}, index{1}, &nan, 1, &y, 1);
    CHECK(std::isnan(y));
  }
  T y = 0;
  clamp(index{1}, T(-1), T(1), &nan, &y);
  CHECK(std::isnan(y));
}

TEST_CASE_TEMPLATE("vector: arithmetic, sums and gathering for every tail", T, float, double) {
  const index lanes = kernels::table<T>().lanes;
  for (index count = 0; count <= 9 * lanes + 1; ++count) {
    CAPTURE(count);
    Numbers numbers;
    Matrix<T> a(1, count, 0, 1), b(1, count, 0, 2), y(1, count, 0, 3);
    for (auto* m : {&a, &b, &y})
      m->fill([&](index, index) { return std::round(64 * numbers.next()) / 16; });
    const auto check = [&](auto expected, auto act) {
      const Matrix<T> old = y;
      act();
      for (index i = 0; i < count; ++i)
        CHECK(y.at(0, i) == T(expected(a.at(0, i), b.at(0, i), old.at(0, i))));
      CHECK(y.guards_intact());
    };
    check([](T p, T, T r) { return r + 2 * p; }, [&] { axpy(count, T(2), a.data(), y.data()); });
    check([](T p, T, T r) { return r + T(0.5) * T((p > 0) - (p < 0)); },
          [&] { add_signs(count, T(0.5), a.data(), y.data()); });
    check([](T p, T, T) { return 3 * p; }, [&] { scale(count, T(3), a.data(), y.data()); });
    check([](T p, T q, T) { return p + q; }, [&] { add(count, a.data(), b.data(), y.data()); });
    check([](T p, T q, T) { return p * q; },
          [&] { multiply(count, a.data(), b.data(), y.data()); });
    check([](T p, T, T) { return p < -1  ? T(-1)
                                 : p > 2 ? T(2)
                                         : p; },
          [&] { clamp(count, T(-1), T(2), a.data(), y.data()); });
    double total = 0, squares = 0, magnitudes = 0;
    for (index i = 0; i < count; ++i) total += a.at(0, i), squares += a.at(0, i) * a.at(0, i);
    for (index i = 0; i < count; ++i) magnitudes += std::abs(double(a.at(0, i)));
    CHECK(sum_of_magnitudes(count, a.data()) == magnitudes);
    CHECK(sum(count, a.data()) == total);  // sixteenths: every sum is exact
    CHECK(sum_of_squares(count, a.data()) == squares);
    CHECK(sum_of_squares(count, a.data(), T(0.5)) == squares / 4);
    CHECK(all_finite(count, a.data()));
  }
  Matrix<T> x(4, 3, 2), y(3, 3, 1);
  x.fill([](index r, index c) { return 10 * r + c; });
  const index from[] = {2, 0, 2};
  gather_rows(index{3}, index{3}, from, x.data(), x.stride, y.data(), y.stride);
  for (index r = 0; r < 3; ++r)
    for (index c = 0; c < 3; ++c) CHECK(y.at(r, c) == x.at(from[r], c));
  CHECK(y.guards_intact());
}

TEST_CASE_TEMPLATE("vector: long passes have the same bits for any number of threads", T, float,
                   double) {
  const index count = 300007;
  const int before = base::team::get_num_threads();
  Numbers numbers;
  std::vector<T> x(static_cast<std::size_t>(count));
  for (T& v : x) v = static_cast<T>(numbers.next());
  std::vector<T> first;
  double totals[2] = {0, 0};
  for (const int threads : {1, 2, 3}) {
    base::team::set_num_threads(threads);
    std::vector<T> y(x.size());
    activate({Activation::tanh}, index{1}, count, x.data(), count, y.data(), count);
    axpy(count, T(0.3), x.data(), y.data());
    if (threads == 1) {
      first = y;
      totals[0] = sum(count, y.data());
      totals[1] = sum_of_squares(count, y.data());
    }
    CHECK(y == first);
    CHECK(sum(count, y.data()) == totals[0]);
    CHECK(sum_of_squares(count, y.data()) == totals[1]);
  }
  long double exact = 0;
  for (const T v : first) exact += static_cast<long double>(v) * v;
  CHECK(totals[1] ==
        doctest::Approx(static_cast<double>(exact)).epsilon(4 * std::numeric_limits<T>::epsilon()));
  base::team::set_num_threads(before);
}

}  // namespace lstmfast::ops
