#include "base/cpu_place.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace lstmfast::base {

#if defined(__linux__)

int current_cpu() noexcept { return ::sched_getcpu(); }

void wake_off_cpu(std::thread& thread, int cpu, void (*wake)(void* context) noexcept,
                  void* context) noexcept {
  cpu_set_t allowed;
  if (cpu >= 0 && ::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    cpu_set_t others = allowed;
    CPU_CLR(static_cast<std::size_t>(cpu), &others);
    const pthread_t handle = thread.native_handle();
    if (CPU_COUNT(&others) > 0 && ::pthread_setaffinity_np(handle, sizeof others, &others) == 0) {
      wake(context);
      ::pthread_setaffinity_np(handle, sizeof allowed, &allowed);
      return;
    }
  }
  wake(context);
}

#else

int current_cpu() noexcept { return -1; }

void wake_off_cpu(std::thread&, int, void (*wake)(void* context) noexcept, void* context) noexcept {
  wake(context);
}

#endif

}  // namespace lstmfast::base
