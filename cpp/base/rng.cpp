#include "base/rng.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace lstmfast::base {
namespace {

constexpr std::uint32_t kMul0 = 0xD2511F53U;
constexpr std::uint32_t kMul1 = 0xCD9E8D57U;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9U;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85U;
constexpr int kRounds = 10;

// No layer and no kind of mask has this number: shuffling shares no sequence with them.
constexpr std::uint32_t kShuffleName = 0xFFFFFFFFU;

// Blocks computed side by side, so that the compiler can put them into vector lanes.
constexpr int kLanes = 8;

std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }

// Counters (first + j, row, time) for j < kLanes; out [4 * kLanes], block after block.
void philox_lanes(std::uint64_t first, std::uint32_t row, std::uint32_t time, PhiloxKey key,
                  std::uint32_t* out) {
  std::uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int j = 0; j < kLanes; ++j) {
    const std::uint64_t block = first + static_cast<std::uint64_t>(j);
    c0[j] = low(block);
    c1[j] = high(block);
    c2[j] = row;
    c3[j] = time;
  }
  for (int round = 0; round < kRounds; ++round) {
    for (int j = 0; j < kLanes; ++j) {
      const std::uint64_t p0 = std::uint64_t{kMul0} * c0[j];
      const std::uint64_t p1 = std::uint64_t{kMul1} * c2[j];
      c0[j] = high(p1) ^ c1[j] ^ key[0];
      c2[j] = high(p0) ^ c3[j] ^ key[1];
      c1[j] = low(p1);
      c3[j] = low(p0);
    }
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  for (int j = 0; j < kLanes; ++j) {
    out[4 * j] = c0[j];
    out[4 * j + 1] = c1[j];
    out[4 * j + 2] = c2[j];
    out[4 * j + 3] = c3[j];
  }
}

// Draws of a stream one after the other.
class Draws {
 public:
  explicit Draws(const RandomStream& stream) : stream_(stream) {}

  std::uint32_t next32() {
    if (used_ == kHeld) {
      stream_.fill_blocks(block_, kLanes, held_);
      block_ += kLanes;
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
  static constexpr int kHeld = 4 * kLanes;
  RandomStream stream_;
  std::uint64_t block_ = 0;
  std::uint32_t held_[kHeld] = {};
  int used_ = kHeld;
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

// The names do not fit the counter beside row, time and index, so they are mixed into the key: one
// Philox block of (layer, kind, step) under the seed. Two of n names share it with odds n^2/2^65.
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

void RandomStream::fill_blocks(std::uint64_t first, index blocks,
                               std::uint32_t* out) const noexcept {
  index done = 0;
  for (; done + kLanes <= blocks; done += kLanes) {
    philox_lanes(first + static_cast<std::uint64_t>(done), row_, time_, key_, out + 4 * done);
  }
  if (done < blocks) {
    std::uint32_t rest[4 * kLanes];
    philox_lanes(first + static_cast<std::uint64_t>(done), row_, time_, key_, rest);
    std::copy(rest, rest + 4 * (blocks - done), out + 4 * done);
  }
}

template <class T>
void fill_mask(const RandomStream& stream, std::uint64_t first, double rate, T* mask, index count) {
  LF_CHECK(rate >= 0 && rate <= 1, "[fill_mask] rate is " << rate << "; expected 0 to 1");
  const T keep = rate < 1 ? static_cast<T>(1 / (1 - rate)) : T(0);
  // Dropped when bits < rate * 2^32, in integers: a decision no floating-point mode can change.
  const auto drop_below = static_cast<std::uint64_t>(rate * 0x1p32);
  constexpr index kBlocks = 16;
  std::uint32_t bits[4 * kBlocks];
  index skip = static_cast<index>(first % 4);
  std::uint64_t block = first / 4;
  for (index done = 0; done < count; skip = 0) {
    const index take = std::min(4 * kBlocks - skip, count - done);
    const index blocks = (skip + take + 3) / 4;
    stream.fill_blocks(block, blocks, bits);
    for (index j = 0; j < take; ++j) mask[done + j] = bits[skip + j] < drop_below ? T(0) : keep;
    block += static_cast<std::uint64_t>(blocks);
    done += take;
  }
}

template void fill_mask<float>(const RandomStream&, std::uint64_t, double, float*, index);
template void fill_mask<double>(const RandomStream&, std::uint64_t, double, double*, index);

void shuffle(index* items, index count, std::uint64_t seed, std::uint64_t epoch) noexcept {
  Draws draws(RandomStream(seed, kShuffleName, kShuffleName, epoch));
  for (index i = count - 1; i > 0; --i) {
    const auto j = static_cast<index>(draws.below(static_cast<std::uint64_t>(i) + 1));
    std::swap(items[i], items[j]);
  }
}

}  // namespace lstmfast::base
