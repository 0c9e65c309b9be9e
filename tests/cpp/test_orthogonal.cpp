#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "ops/orthogonal.h"
#include "team_helpers.h"

namespace lstmfast::ops {

template <class T>
std::vector<T> drawn(index rows, index columns, std::uint64_t seed) {
  std::vector<T> q(static_cast<std::size_t>(rows * columns));
  draw_orthonormal_rows(rows, columns, seed, q.data());
  return q;
}

// The largest element of |Q Q' - 1|.
template <class T>
double error(const std::vector<T>& q, index rows, index columns) {
  double worst = 0;
  for (index r = 0; r < rows; ++r) {
    for (index s = 0; s <= r; ++s) {
      double sum = r == s ? -1 : 0;
      for (index i = 0; i < columns; ++i) {
        sum += double(q[static_cast<std::size_t>(r * columns + i)]) *
               double(q[static_cast<std::size_t>(s * columns + i)]);
      }
      worst = std::max(worst, std::fabs(sum));
    }
  }
  return worst;
}

TEST_CASE_TEMPLATE("orthogonal: rows are orthonormal, whatever the shape", T, float, double) {
  const index shapes[][2] = {{0, 4},   {1, 1},   {2, 2},   {9, 9},
                             {64, 64}, {65, 65}, {7, 300}, {50, 200}};
  for (const auto& shape : shapes) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      CAPTURE(shape[0]);
      CAPTURE(shape[1]);
      CAPTURE(seed);
      // Two sweeps leave what rounding a row once does: as many terms as it has elements, each off
      // by half an ulp of a product of lengths of 1, and a quarter of a length left costs a
      // factor 4.
      const double bound = 4 * std::numeric_limits<T>::epsilon() * std::sqrt(double(shape[1] + 1));
      CHECK(error(drawn<T>(shape[0], shape[1], seed), shape[0], shape[1]) < bound);
    }
  }
}

TEST_CASE("orthogonal: the same bits for any number of threads, others for another seed") {
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    const base::Threads limit(threads);
    const std::vector<float> q = drawn<float>(200, 801, 7);
    if (first.empty()) first = q;
    CHECK(q == first);
  }
  CHECK(drawn<float>(200, 801, 8) != first);
}

TEST_CASE("orthogonal: more rows than columns cannot be") {
  float out[2];
  CHECK_THROWS_WITH_AS(draw_orthonormal_rows<float>(2, 1, 0, out),
                       "[draw_orthonormal_rows] rows is 2 and columns 1; expected 0 <= rows <= "
                       "columns",
                       std::invalid_argument);
}

TEST_CASE("normal numbers: moments and shares are those of the normal distribution") {
  constexpr index n = 1000000;
  std::vector<double> z(n);
  draw_normal(n, 3, z.data());
  double sums[4] = {};
  index beyond[4] = {};  // of 1, 2, 3, 4 standard deviations, both sides
  for (const double value : z) {
    double power = 1;
    for (double& sum : sums) sum += power *= value;
    for (int k = 0; k < 4; ++k) beyond[k] += std::fabs(value) > k + 1;
  }
  // Within five standard errors: variances of the powers are 1, 2, 15 and 96.
  const double expected[] = {0, 1, 0, 3}, variance[] = {1, 2, 15, 96};
  for (int k = 0; k < 4; ++k) {
    CHECK(std::fabs(sums[k] / n - expected[k]) < 5 * std::sqrt(variance[k] / n));
    const double share = std::erfc((k + 1) / std::sqrt(2.0));
    CHECK(std::fabs(double(beyond[k]) / n - share) < 5 * std::sqrt(share / n));
  }
  std::vector<float> other(10);
  draw_normal(10, 3, other.data());
  for (std::size_t i = 0; i < 10; ++i) CHECK(other[i] == static_cast<float>(z[i]));
}

}  // namespace lstmfast::ops
