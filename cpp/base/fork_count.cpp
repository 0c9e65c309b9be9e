#include "base/fork_count.h"

#include <atomic>

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace lstmfast::base {

std::uint32_t fork_count() noexcept {
  static std::atomic<std::uint32_t> forks{0};
#if !defined(_WIN32)
  static const int registered = ::pthread_atfork(
      nullptr, nullptr, []() noexcept { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
#endif
  return forks.load(std::memory_order_relaxed);
}

}  // namespace lstmfast::base
