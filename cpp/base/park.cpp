#include "base/park.h"

#if defined(__linux__) && !defined(LSTMFAST_NO_FUTEX)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#else
#include <condition_variable>
#include <mutex>
#include <new>
#endif

namespace lstmfast::base {

#if defined(__linux__) && !defined(LSTMFAST_NO_FUTEX)

namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* time = nullptr) noexcept {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, time, nullptr, 0);
}

}  // namespace

void park(std::atomic<std::uint32_t>& word, std::uint32_t expected,
          std::chrono::nanoseconds time) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  timespec length{};
  length.tv_sec = static_cast<time_t>(seconds.count());
  length.tv_nsec = static_cast<long>((time - seconds).count());
  futex(word, FUTEX_WAIT_PRIVATE, expected, &length);
}
void unpark_one(std::atomic<std::uint32_t>& word) noexcept { futex(word, FUTEX_WAKE_PRIVATE, 1); }
void unpark_all(std::atomic<std::uint32_t>& word) noexcept {
  futex(word, FUTEX_WAKE_PRIVATE, INT_MAX);
}
void reset_parking_after_fork() noexcept {}

#else

namespace {

// Words share lots by address: unpark wakes all threads of a lot, and those that sleep on another
// word sleep again.
struct Lot {
  std::mutex mutex;
  std::condition_variable changed;
};
constexpr std::size_t kLots = 32;

// Never destroyed: threads may still sleep here while the process ends.
Lot* lots() noexcept {
  alignas(Lot) static unsigned char storage[kLots * sizeof(Lot)];
  static Lot* const made = [] {
    for (std::size_t i = 0; i < kLots; ++i) new (storage + i * sizeof(Lot)) Lot;
    return reinterpret_cast<Lot*>(storage);
  }();
  return made;
}

Lot& lot_of(const void* word) noexcept {
  return lots()[(reinterpret_cast<std::uintptr_t>(word) >> 6) % kLots];
}

}  // namespace

void park(std::atomic<std::uint32_t>& word, std::uint32_t expected,
          std::chrono::nanoseconds time) noexcept {
  Lot& lot = lot_of(&word);
  std::unique_lock<std::mutex> lock(lot.mutex);
  if (word.load(std::memory_order_acquire) == expected) lot.changed.wait_for(lock, time);
}

// The lock keeps the wake-up from falling between the sleeper's check of the word and its sleep.
void unpark_all(std::atomic<std::uint32_t>& word) noexcept {
  Lot& lot = lot_of(&word);
  const std::lock_guard<std::mutex> lock(lot.mutex);
  lot.changed.notify_all();
}
void unpark_one(std::atomic<std::uint32_t>& word) noexcept { unpark_all(word); }

void reset_parking_after_fork() noexcept {
  for (std::size_t i = 0; i < kLots; ++i) new (&lots()[i]) Lot;
}

#endif

}  // namespace lstmfast::base
