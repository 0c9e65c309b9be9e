// Sleep on a 32-bit word until it changes (by futex, or an equivalent); must not know why.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace lstmfast::base {

// Sleeps while word holds `expected`, for at most `time`. May return spuriously, so callers check
// in a loop. A change of the word followed by unpark is never missed.
void park(std::atomic<std::uint32_t>& word, std::uint32_t expected,
          std::chrono::nanoseconds time = std::chrono::hours(1)) noexcept;
void unpark_one(std::atomic<std::uint32_t>& word) noexcept;
void unpark_all(std::atomic<std::uint32_t>& word) noexcept;

// Called in a fork's child: forgets the sleeping threads, which exist in the parent only.
void reset_parking_after_fork() noexcept;

}  // namespace lstmfast::base
