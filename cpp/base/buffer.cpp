#include "base/buffer.h"

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/interrupt.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lstmfast::base {
namespace {

std::atomic<std::uint64_t> allocations{0};

// Weights and caches of this size are read with strides that miss the TLB, unless in large pages.
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Blocks from this size take whole large pages, of which up to half a page stays unused.
constexpr std::size_t kHugeFrom = kHugePage / 2;

std::align_val_t alignment_for(std::size_t bytes) {
  return std::align_val_t{bytes >= kHugeFrom ? kHugePage : kBufferAlignment};
}
std::size_t room_for(std::size_t bytes) {
  return bytes >= kHugeFrom ? (bytes + kHugePage - 1) & ~(kHugePage - 1) : bytes;
}

// Bytes zeroed between two looks at the Interrupt: writing to a page for the first time makes the
// system provide it, which takes long.
constexpr std::size_t kZeroedAtOnce = std::size_t{16} << 20;

std::string bytes_text(std::size_t bytes) {
  if (bytes == OutOfMemory::kUncountable) return "more bytes than can be counted";
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5; value /= 1000) ++unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %s", value, kUnits[unit]);
  return text;
}

}  // namespace

OutOfMemory::OutOfMemory(std::size_t bytes) : OutOfMemory(bytes, "out of memory: a block") {}

OutOfMemory::OutOfMemory(std::size_t bytes, const std::string& what_for)
    : bytes_(bytes), message_(what_for + " needs " + bytes_text(bytes)) {}

namespace detail {

void* allocate_zeroed(std::size_t bytes) {
  void* const p = ::operator new(room_for(bytes), alignment_for(bytes), std::nothrow);
  if (p == nullptr) throw OutOfMemory(bytes);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // A refusal changes speed only.
  if (bytes >= kHugeFrom) static_cast<void>(::madvise(p, room_for(bytes), MADV_HUGEPAGE));
#endif
  try {
    InterruptPoint point;
    for (std::size_t at = 0; at < bytes; at += kZeroedAtOnce) {
      const std::size_t part = std::min(bytes - at, kZeroedAtOnce);
      std::memset(static_cast<unsigned char*>(p) + at, 0, part);
      point.pass(static_cast<double>(part));
    }
  } catch (...) {
    release(p, bytes);
    throw;
  }
  allocations.fetch_add(1, std::memory_order_relaxed);
  return p;
}

void release(void* p, std::size_t bytes) noexcept { ::operator delete(p, alignment_for(bytes)); }

}  // namespace detail

std::uint64_t allocation_count() noexcept { return allocations.load(std::memory_order_relaxed); }

}  // namespace lstmfast::base
