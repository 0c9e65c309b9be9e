// Measure, then carve: arrays planned first, cut from one Buffer; must not know what they hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>

#include "base/buffer.h"
#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::base {

// The promise of an array of `count` elements; Arena::at turns it into a pointer. Cheap to copy.
template <class T>
struct Slot {
  std::size_t offset = 0;  // bytes from the start of the block
  index count = 0;
};

// First pass: adds up requests. Owns nothing.
class Planner {
 public:
  // Alignment: a power of two up to kBufferAlignment. By default arrays share no cache line.
  template <class T>
  Slot<T> add(index count, std::size_t alignment = kBufferAlignment) {
    LF_ASSERT(alignment >= alignof(T) && alignment <= kBufferAlignment &&
              (alignment & (alignment - 1)) == 0);
    if (count == 0) return {};
    const std::size_t offset = (top_ + alignment - 1) & ~(alignment - 1);
    const index room = static_cast<index>(kMaxBytes - offset) / static_cast<index>(sizeof(T));
    if (count < 0 || offset > kMaxBytes || count > room) throw std::bad_array_new_length();
    top_ = offset + static_cast<std::size_t>(count) * sizeof(T);
    peak_ = std::max(peak_, top_);
    return {offset, count};
  }

  // Arrays that never live together may share bytes: mark() before the first of them, rewind(mark)
  // before each of the others. What was added before the mark stays apart from all of them.
  std::size_t mark() const noexcept { return top_; }
  void rewind(std::size_t mark) noexcept {
    LF_ASSERT(mark <= top_);
    top_ = mark;
  }

  std::size_t bytes() const noexcept { return peak_; }

 private:
  static constexpr std::size_t kMaxBytes =
      static_cast<std::size_t>(std::numeric_limits<index>::max()) - kBufferAlignment;

  std::size_t top_ = 0;
  std::size_t peak_ = 0;
};

// Second pass: the one block. Grow-only; its pointers live until a reserve that grows, or its end.
class Arena {
 public:
  Arena() = default;
  explicit Arena(const Planner& plan) { reserve(plan); }

  // Contents stay if the block is large enough already, otherwise all of it is new and zero.
  void reserve(const Planner& plan) { block_.reserve(static_cast<index>(plan.bytes())); }

  // The array of a slot of the plan in force; null for an empty one.
  template <class T>
  T* at(Slot<T> slot) noexcept {
    if (slot.count == 0) return nullptr;
    LF_ASSERT(slot.offset + static_cast<std::size_t>(slot.count) * sizeof(T) <=
              static_cast<std::size_t>(block_.size()));
    return reinterpret_cast<T*>(block_.data() + slot.offset);
  }
  template <class T>
  const T* at(Slot<T> slot) const noexcept {
    return const_cast<Arena*>(this)->at(slot);
  }

  void zero() noexcept { block_.zero(); }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(block_.size()); }

 private:
  Buffer<unsigned char> block_;
};

}  // namespace lstmfast::base
