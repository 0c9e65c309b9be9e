#include "base/fork_count.h"

#include <atomic>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace lstmfast::base {
namespace {

std::atomic<std::uint32_t> forks{0};

#if !defined(_WIN32)
// At load, not at the first call: a fork may come in the middle of that, in another thread.
[[maybe_unused]] const int registered = ::pthread_atfork(
    nullptr, nullptr, []() noexcept { forks.fetch_add(1, std::memory_order_relaxed); });
#endif

}  // namespace

std::uint32_t fork_count() noexcept { return forks.load(std::memory_order_relaxed); }

}  // namespace lstmfast::base
