#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/plain.h"
#include "base/rng.h"

namespace lstmfast::base {

TEST_CASE("philox: known answers of the published generator") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random stream: a number depends on names and index alone") {
  const RandomStream s = RandomStream(0x123456789ABCDEFULL, 2, 3, 4).at(5, 6);
  const std::uint32_t last = 0xFFFFFFFFU;  // of the counter's low word, before the carry
  const PhiloxBlock before = philox4x32({last, 0, 5, 6}, s.key());
  const PhiloxBlock after = philox4x32({0, 1, 5, 6}, s.key());
  for (std::uint64_t i = 0; i < 4; ++i) {
    CHECK(s.bits(4 * std::uint64_t{last} + i) == before[i]);
    CHECK(s.bits(4 * (std::uint64_t{last} + 1) + i) == after[i]);
  }

  const std::vector<RandomStream> others = {
      RandomStream(0x123456789ABCDEEULL, 2, 3, 4).at(5, 6),
      RandomStream(0x23456789ABCDEFULL, 2, 3, 4).at(5, 6),
      RandomStream(0x123456789ABCDEFULL, 3, 2, 4).at(5, 6),
      RandomStream(0x123456789ABCDEFULL, 2, 4, 3).at(5, 6),
      RandomStream(0x123456789ABCDEFULL, 2, 3, 4ULL << 32).at(5, 6),
      RandomStream(0x123456789ABCDEFULL, 2, 3, 4).at(6, 5),
      RandomStream(0x123456789ABCDEFULL, 2, 3, 4)};
  for (const RandomStream& other : others) {
    int equal = 0;
    for (std::uint64_t i = 0; i < 64; ++i) equal += s.bits(i) == other.bits(i) ? 1 : 0;
    CHECK(equal <= 1);
  }
}

TEST_CASE("random stream: words are uniform") {
  const RandomStream s(7, 0, 0, 0);
  constexpr int kCount = 1 << 16;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = s.bits(static_cast<std::uint64_t>(i)) * 0x1p-32;
    sum += u;
    squares += u * u;
  }
  // Five standard errors: sqrt(1/12 / n) for the mean, sqrt(4/45 / n) for the mean square.
  CHECK(std::abs(sum / kCount - 0.5) < 5 * std::sqrt(1.0 / 12 / kCount));
  CHECK(std::abs(squares / kCount - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / kCount));
}

TEST_CASE("shuffle: an order for each seed and epoch, all orders equally likely") {
  std::vector<index> items(1000), again(1000), other(1000);
  const auto fill = [](std::vector<index>& v) { std::iota(v.begin(), v.end(), index{0}); };
  fill(items), fill(again), fill(other);
  shuffle(items.data(), 1000, 1, 2);
  shuffle(again.data(), 1000, 1, 2);
  shuffle(other.data(), 1000, 1, 3);
  CHECK(items == again);
  CHECK(items != other);
  std::sort(items.begin(), items.end());
  fill(again);
  CHECK(items == again);
  shuffle(items.data(), 0, 1, 2);
  shuffle(items.data(), 1, 1, 2);
  CHECK(items == again);

  constexpr int kRounds = 24000;
  std::array<int, 24> seen{};
  for (int round = 0; round < kRounds; ++round) {
    index p[] = {0, 1, 2, 3};
    shuffle(p, 4, 99, static_cast<std::uint64_t>(round));
    const index rank = p[0] * 6 + (p[1] - (p[1] > p[0])) * 2 + (p[2] > p[3] ? 1 : 0);
    ++seen[static_cast<std::size_t>(rank)];
  }
  double chi_squared = 0;
  for (const int n : seen) chi_squared += (n - 1000.0) * (n - 1000.0) / 1000.0;
  CHECK(chi_squared < 58.6);  // 23 degrees of freedom: exceeded once in 15,000 seeds
}

}  // namespace lstmfast::base
