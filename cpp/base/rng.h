// Counter-based random numbers, each a pure function of its key and index; must not know who draws.
#pragma once

#include <array>
#include <cstdint>

#include "base/plain.h"

namespace lstmfast::base {

// Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2,
// 3, SC 2011): four words from a 128-bit counter under a 64-bit key.
using PhiloxBlock = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;
PhiloxBlock philox4x32(PhiloxBlock counter, PhiloxKey key) noexcept;

// An endless sequence named by (seed, layer, kind, step) and, below it, (row, time). Number i
// depends on those names and i alone: any thread may take any part, in any order. Cheap to copy.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint32_t layer, std::uint32_t kind,
               std::uint64_t step) noexcept;

  // The sequence of one row at one time step under the same names; a new stream is at(0, 0).
  RandomStream at(std::uint32_t row, std::uint32_t time) const noexcept {
    RandomStream s = *this;
    s.row_ = row;
    s.time_ = time;
    return s;
  }

  std::uint32_t bits(std::uint64_t i) const noexcept;

  // Number i is word i % 4 of philox4x32({low(i / 4), high(i / 4), row, time}, key).
  PhiloxKey key() const noexcept { return key_; }

 private:
  PhiloxKey key_;
  std::uint32_t row_ = 0;
  std::uint32_t time_ = 0;
};

// items [count] in/out, put into an order that depends on (seed, epoch) and count alone; every
// order is equally likely (Fisher and Yates, with unbiased draws).
void shuffle(index* items, index count, std::uint64_t seed, std::uint64_t epoch) noexcept;

}  // namespace lstmfast::base
