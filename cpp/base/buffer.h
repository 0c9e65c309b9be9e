// Owning, aligned, zeroed memory with one owner; must not know what is stored in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::base {

// One cache line, and the widest vector of any ISA: no vector of an aligned row straddles lines.
inline constexpr std::size_t kBufferAlignment = 64;

// Its text says how much memory was requested.
class OutOfMemory : public std::bad_alloc {
 public:
  static constexpr std::size_t kUncountable = std::numeric_limits<std::size_t>::max();

  explicit OutOfMemory(std::size_t bytes);
  // "`what_for` needs 3.2 GB".
  OutOfMemory(std::size_t bytes, const std::string& what_for);

  std::size_t bytes() const noexcept { return bytes_; }
  const char* what() const noexcept override { return message_.what(); }

 private:
  std::size_t bytes_;
  std::runtime_error message_;  // whose text is copied without allocating
};

// Runs f(). Its OutOfMemory error is replaced by one that says what needs the memory: text().
template <class F, class Text>
void with_memory(F f, Text text) {
  try {
    f();
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(error.bytes(), text());
  }
}

namespace detail {
// bytes > 0. Zeroed and aligned to kBufferAlignment at least. Throws OutOfMemory.
void* allocate_zeroed(std::size_t bytes);
// p from allocate_zeroed(bytes), the same bytes.
void release(void* p, std::size_t bytes) noexcept;
}  // namespace detail

// How many blocks the Buffers of this process have allocated; a warm loop must not increase it.
std::uint64_t allocation_count() noexcept;

template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "a Buffer is zeroed and dropped as bytes");
  static_assert(alignof(T) <= kBufferAlignment);

 public:
  Buffer() = default;
  explicit Buffer(index count) { resize(count); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer() { drop(); }

  // Exactly `count` elements, all zero, in the memory it has if that is large enough. On failure
  // the Buffer is empty.
  void resize(index count) {
    if (count < 0 || count > kMaxCount) throw OutOfMemory(OutOfMemory::kUncountable);
    if (count <= capacity_) {
      size_ = count;
      return zero();
    }
    drop();  // first, so that peak use is one copy
    data_ = static_cast<T*>(detail::allocate_zeroed(static_cast<std::size_t>(count) * sizeof(T)));
    size_ = capacity_ = count;
  }

  // At least `count` elements. Never shrinks: contents and pointers stay when the size suffices,
  // otherwise the contents are lost and all elements are zero.
  void reserve(index count) {
    if (count > size_ || count < 0) resize(count);
  }

  void zero() noexcept {
    if (size_ > 0) {
      std::memset(static_cast<void*>(data_), 0, static_cast<std::size_t>(size_) * sizeof(T));
    }
  }

  T* data() noexcept { return data_; }  // null when the size has always been 0
  const T* data() const noexcept { return data_; }
  index size() const noexcept { return size_; }
  T& operator[](index i) {
    LF_ASSERT(i >= 0 && i < size_);
    return data_[i];
  }
  const T& operator[](index i) const {
    LF_ASSERT(i >= 0 && i < size_);
    return data_[i];
  }

  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  static constexpr index kMaxCount =
      std::numeric_limits<index>::max() / static_cast<index>(sizeof(T));

  void drop() noexcept {
    if (data_ != nullptr) {
      detail::release(data_, static_cast<std::size_t>(capacity_) * sizeof(T));
    }
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  T* data_ = nullptr;
  index size_ = 0;
  index capacity_ = 0;
};

}  // namespace lstmfast::base
