// What several tests share: a fixed sequence of numbers, guarded matrices, the text of an error.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/plain.h"

namespace lstmfast::test {

// A fixed sequence of numbers of -1 .. 1.
class Numbers {
 public:
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1;
  }

 private:
  std::uint64_t state_ = 1;
};

// A matrix whose rows may be longer than its columns, at any misalignment, with guards after every
// row: for tests of code that may not touch what lies outside.
template <class T>
class Matrix {
 public:
  Matrix(index rows, index columns, index padding = 0, index shift = 0)
      : rows(rows), columns(columns), stride(columns + padding), shift_(shift) {
    memory_.assign(static_cast<std::size_t>(shift + rows * stride + kMargin), kGuard);
  }

  T* data() { return memory_.data() + shift_; }
  const T* data() const { return memory_.data() + shift_; }
  T& at(index r, index c) { return data()[r * stride + c]; }
  T at(index r, index c) const { return data()[r * stride + c]; }

  template <class F>
  void fill(F f) {
    for (index r = 0; r < rows; ++r)
      for (index c = 0; c < columns; ++c) at(r, c) = static_cast<T>(f(r, c));
  }
  bool guards_intact() const {
    index inside = 0;
    for (index i = 0; i < static_cast<index>(memory_.size()); ++i) {
      const index k = i - shift_;
      const bool value = k >= 0 && k < rows * stride && k % stride < columns;
      inside += value;
      if (!value && memory_[static_cast<std::size_t>(i)] != kGuard) return false;
    }
    return inside == rows * columns;
  }

  const index rows, columns, stride;

 private:
  static constexpr index kMargin = 40;
  static constexpr T kGuard = T(-12345.5);
  index shift_;
  std::vector<T> memory_;
};

// What f() throws as std::invalid_argument; empty when it does not throw.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

}  // namespace lstmfast::test
