#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "base/rng.h"
#include "base/team.h"
#include "kernels/table.h"
#include "ops/random_mask.h"
#include "support.h"

namespace lstmfast::ops {
namespace {

using test::Matrix;

const base::RandomStream kStream(0x123456789ABCDEFULL, 2, 3, 4);

// Number j of the stream at a row and time, as the formula has it.
bool is_dropped(index row, index time, index j, double rate) {
  const base::RandomStream at =
      kStream.at(static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(time));
  return at.bits(static_cast<std::uint64_t>(j)) < rate * 0x1p32;
}

}  // namespace

TEST_CASE_TEMPLATE("random mask: every tail, padding and stride", T, float, double) {
  const index lanes = kernels::table<T>().lanes, far = 0xFFFFFFFF;
  const std::vector<index> rows = {7, 0, far};
  for (const double rate : {0.0, 0.25, 0.7, 1.0})
    for (index units = 1; units <= 8 * lanes + 5; ++units) {
      const index padded = units + units % 4 * (lanes / 2), shift = units % 3;
      // two steps of three rows, rows first
      Matrix<T> mask(6, padded, units % 5, shift);
      fill_random_mask<T>(
          kStream, {rate, T(-2), T(3)},
          {3, 2, units, mask.data(), 2 * mask.stride, mask.stride, rows.data(), far - 1, padded});
      bool right = true;
      for (index k = 0; k < 6; ++k)
        for (index j = 0; j < padded; ++j) {
          const T drawn =
              is_dropped(rows[static_cast<std::size_t>(k / 2)], far - 1 + k % 2, j, rate) ? T(-2)
                                                                                          : T(3);
          right = right && mask.at(k, j) == (j < units ? drawn : T(0));
        }
      CAPTURE(units);
      CAPTURE(rate);
      CHECK(right);
      CHECK(mask.guards_intact());
    }
}

TEST_CASE_TEMPLATE("random mask: rows at times of their own", T, float, double) {
  const std::vector<index> rows = {7, 0, 3}, times = {0xFFFFFFFE, 5, 0};
  Matrix<T> mask(3, 50);
  kernels::RandomMask<T> a = random_rows<T>(kStream, {0.4, T(1), T(0)});
  a.rows = 3;
  a.units = a.padded = 50;
  a.row_numbers = rows.data();
  a.times = times.data();
  a.mask = mask.data();
  a.stride = mask.stride;
  kernels::table<T>().random_mask(a);
  bool right = true;
  for (index r = 0; r < 3; ++r)
    for (index j = 0; j < 50; ++j) {
      const auto i = static_cast<std::size_t>(r);
      right = right && (mask.at(r, j) == T(1)) == is_dropped(rows[i], times[i], j, 0.4);
    }
  CHECK(right);
  CHECK(mask.guards_intact());
}

TEST_CASE("random mask: any number of threads, any cut into steps, both types") {
  const index rows = 5, steps = 37, units = 1021, count = rows * steps * units;
  std::vector<float> alone(count), shared(count), pieces(count);
  std::vector<double> wide(count);
  const int before = base::team::get_num_threads();
  const auto values = dropout_values<float>(0.4);
  base::team::set_num_threads(1);
  fill_random_mask<float>(kStream, values, {rows, steps, units, alone.data(), units, rows * units});
  base::team::set_num_threads(3);
  fill_random_mask<float>(kStream, values,
                          {rows, steps, units, shared.data(), units, rows * units});
  fill_random_mask<double>(kStream, dropout_values<double>(0.4),
                           {rows, steps, units, wide.data(), units, rows * units});
  for (index t = 0; t < steps; t += 10)
    fill_random_mask<float>(kStream, values,
                            {rows, std::min<index>(10, steps - t), units,
                             pieces.data() + t * rows * units, units, rows * units, nullptr, t});
  base::team::set_num_threads(before);
  CHECK(shared == alone);
  CHECK(pieces == alone);
  index kept = 0;
  bool same = true;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    same = same && (alone[i] == 0 || alone[i] == static_cast<float>(1 / 0.6)) &&
           (alone[i] == 0) == (wide[i] == 0);
    kept += alone[i] != 0;
  }
  CHECK(same);
  // five standard errors
  const double n = static_cast<double>(count);
  CHECK(std::fabs(static_cast<double>(kept) / n - 0.6) < 5 * std::sqrt(0.24 / n));
}

TEST_CASE("random mask: values, and rates that are none") {
  const auto none = dropout_values<double>(1.0), half = dropout_values<double>(0.5);
  CHECK((none.dropped == 0 && none.kept == 0));
  CHECK((half.dropped == 0 && half.kept == 2));
  const auto stay = zoneout_values<float>(0.25);
  CHECK((stay.dropped == 1 && stay.kept == 0));
  float mask = 5;
  fill_random_mask<float>(kStream, stay, {0, 3, 1, &mask, 1, 1});
  fill_random_mask<float>(kStream, stay, {3, 1, 0, &mask, 0, 0});
  CHECK(mask == 5);
  CHECK_THROWS_WITH_AS((fill_random_mask<float>(kStream, {1.5, 0, 1}, {1, 1, 1, &mask, 1, 1})),
                       "[random_mask] rate is 1.5; expected 0 to 1", std::invalid_argument);
  CHECK_THROWS_AS((fill_random_mask<float>(kStream, {std::nan(""), 0, 1}, {1, 1, 1, &mask, 1, 1})),
                  std::invalid_argument);
}

}  // namespace lstmfast::ops
