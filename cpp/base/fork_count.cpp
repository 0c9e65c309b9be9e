#include "base/fork_count.h"

#include <pthread.h>

#include <atomic>

namespace lstmfast::base {
namespace {

std::atomic<std::uint32_t> forks{0};

// When the library is loaded: in the middle of a first call, another thread might fork.
[[maybe_unused]] const int registered = ::pthread_atfork(
    nullptr, nullptr, []() noexcept { forks.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

std::uint32_t fork_count() noexcept { return forks.load(std::memory_order_relaxed); }

}  // namespace lstmfast::base
