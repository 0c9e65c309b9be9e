#include "base/rng.h"

#include <cstddef>
#include <utility>

namespace lstmfast::base {
namespace {

constexpr std::uint32_t kMul0 = 0xD2511F53U;
constexpr std::uint32_t kMul1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

// No layer and no kind of mask has this number: shuffling shares no sequence with them.
constexpr std::uint32_t kShuffleName = 0xFFFFFFFFU;

std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }

// Numbers of a new stream one after the other.
class Draws {
 public:
  explicit Draws(PhiloxKey key) : key_(key) {}

  std::uint32_t next32() {
    if (used_ == 4) {
      held_ = philox4x32({low(block_), high(block_), 0, 0}, key_);
      ++block_;
      used_ = 0;
    }
    return held_[used_++];
  }

  // Uniform in [0, bound), bound > 0. A draw that would favour some numbers is thrown away.
  std::uint64_t below(std::uint64_t bound) {
    if (bound <= 0xFFFFFFFFU) {
      const std::uint32_t b = low(bound);
      const std::uint32_t reject = (0U - b) % b;  // 2^32 mod bound
      std::uint64_t product = std::uint64_t{next32()} * b;
      while (low(product) < reject) product = std::uint64_t{next32()} * b;
      return high(product);
    }
    std::uint64_t mask = bound - 1;
    for (int s = 1; s < 64; s *= 2) mask |= mask >> s;
    for (;;) {
      const std::uint64_t upper = next32();
      const std::uint64_t v = ((upper << 32) | next32()) & mask;
      if (v < bound) return v;
    }
  }

 private:
  PhiloxKey key_;
  std::uint64_t block_ = 0;
  PhiloxBlock held_ = {};
  std::size_t used_ = 4;
};

}  // namespace

PhiloxBlock philox4x32(PhiloxBlock c, PhiloxKey key) noexcept {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMul0} * c[0];
    const std::uint64_t p1 = std::uint64_t{kMul1} * c[2];
    c = {high(p1) ^ c[1] ^ key[0], low(p1), high(p0) ^ c[3] ^ key[1], low(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

// The names do not fit into the counter next to row, time and index, so they are mixed into the
// key: one Philox block of (layer, kind, step) under the seed. Two of n names share it with odds
// n^2/2^65.
RandomStream::RandomStream(std::uint64_t seed, std::uint32_t layer, std::uint32_t kind,
                           std::uint64_t step) noexcept {
  const PhiloxBlock mixed =
      philox4x32({layer, kind, low(step), high(step)}, {low(seed), high(seed)});
  key_ = {mixed[0], mixed[1]};
}

std::uint32_t RandomStream::bits(std::uint64_t i) const noexcept {
  const std::uint64_t block = i / 4;
  return philox4x32({low(block), high(block), row_, time_}, key_)[i % 4];
}

void shuffle(index* items, index count, std::uint64_t seed, std::uint64_t epoch) noexcept {
  Draws draws(RandomStream(seed, kShuffleName, kShuffleName, epoch).key());
  for (index i = count - 1; i > 0; --i) {
    const auto j = static_cast<index>(draws.below(static_cast<std::uint64_t>(i) + 1));
    std::swap(items[i], items[j]);
  }
}

}  // namespace lstmfast::base
