// Arrays that are planned first and then placed in one block; must not know what they hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

#include "base/buffer.h"
#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::base {

// The place of an array of `count` elements in a plan; Arena::at turns it into a pointer.
template <class T>
struct Slot {
  std::size_t offset = 0;  // bytes from the start of the block
  index count = 0;
};

// First pass: adds up requests. Owns nothing.
class Planner {
 public:
  // Alignment: a power of two up to kBufferAlignment. By default arrays share no cache line, and a
  // vector that begins in one may be stored over its end.
  template <class T>
  Slot<T> add(index count, std::size_t alignment = kBufferAlignment) {
    LF_ASSERT(alignment >= alignof(T) && alignment <= kBufferAlignment &&
              (alignment & (alignment - 1)) == 0);
    if (count == 0) return {};
    const std::size_t offset = (top_ + alignment - 1) & ~(alignment - 1);
    const index room = static_cast<index>(kMaxBytes - offset) / static_cast<index>(sizeof(T));
    if (count < 0 || offset > kMaxBytes || count > room)
      throw OutOfMemory(OutOfMemory::kUncountable);
    const std::size_t end = offset + static_cast<std::size_t>(count) * sizeof(T);
    top_ = (end + alignment - 1) & ~(alignment - 1);
    return {offset, count};
  }

  std::size_t bytes() const noexcept { return top_; }

 private:
  static constexpr std::size_t kMaxBytes =
      static_cast<std::size_t>(std::numeric_limits<index>::max()) - kBufferAlignment;

  std::size_t top_ = 0;
};

// Second pass: the block itself. Pointers into it hold until reserve() or keep() replaces it, or
// the Arena ends.
class Arena {
 public:
  // A block smaller than this is never replaced by a smaller one.
  static constexpr std::size_t kSparedFrom = std::size_t{1} << 20;

  Arena() = default;
  explicit Arena(const Planner& plan) { reserve(plan); }

  // Contents stay if the block is large enough already, otherwise all of it is new and zero. A
  // large block of which kSpareCalls plans in turn need less than a quarter is replaced by one for
  // the largest of them. Where this throws, a block that was large enough stays.
  void reserve(const Planner& plan) {
    planned_ = static_cast<index>(plan.bytes());
    if (!spares()) block_.reserve(planned_);
  }

  // Plans and places the arrays for which layout(place) calls place(pointer, count, wanted = true),
  // the same at each call: it sets the pointer, to null where count is 0 or the array is not
  // wanted. layout is called once more where the block turns out to be replaced.
  template <class Layout>
  void arrange(const Layout& layout) {
    Planner plan;
    bool fits = true;
    const auto place = [&](auto*& pointer, index count, bool wanted = true) {
      const auto slot = plan.add<std::remove_reference_t<decltype(*pointer)>>(wanted ? count : 0);
      fits = static_cast<index>(plan.bytes()) <= block_.size();
      pointer = fits ? at(slot) : nullptr;
    };
    layout(place);
    const unsigned char* const before = block_.data();
    reserve(plan);
    if (fits && block_.data() == before) return;
    plan = {};
    layout(place);
  }

  // As reserve() with the plan in force; returns whether the block was replaced.
  bool keep() { return spares(); }

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
  static constexpr int kSpareCalls = 16;

  bool spares() {
    if (planned_ >= block_.size() / 4 || bytes() < kSparedFrom) {
      spare_calls_ = 0;
      return false;
    }
    most_ = std::max(spare_calls_ == 0 ? 0 : most_, planned_);
    if (++spare_calls_ < kSpareCalls) return false;
    spare_calls_ = 0;
    Buffer<unsigned char> smaller(most_);  // first: where this throws, all pointers still hold
    block_.swap(smaller);
    return true;
  }

  Buffer<unsigned char> block_;
  index planned_ = 0;
  int spare_calls_ = 0;  // calls in turn that needed less than a quarter
  index most_ = 0;       // the largest plan of these calls
};

}  // namespace lstmfast::base
