// Counts the allocations and locks of the test program that includes this, once, those of shared
// libraries too; and runs work in a child that a system call would kill.
#pragma once

#include <atomic>
#include <cstdlib>

#include "fork_helpers.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_SYSTEM_WORK 0  // sanitizers have their own malloc, and call the system
#elif defined(__has_feature)
#define COUNTS_SYSTEM_WORK !(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define COUNTS_SYSTEM_WORK 1
#endif
#if !defined(__GLIBC__)
#undef COUNTS_SYSTEM_WORK
#define COUNTS_SYSTEM_WORK 0
#endif

#if COUNTS_SYSTEM_WORK

#include <dlfcn.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace lstmfast::test {

inline std::atomic<long> allocations{0}, allocated_bytes{0}, locks{0};

inline void count(std::size_t bytes) {
  ++allocations;
  allocated_bytes += static_cast<long>(bytes);
}

constexpr int kNoSeccomp = 77;

// body() in a child that is killed at its first system call: returns 0 if it made none, kNoSeccomp
// where the system has no such mode, else what in_child() gives.
template <class Body>
int without_system_calls(const Body& body) {
  return in_child([&] {
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) return kNoSeccomp;
    const int result = body();
    ::syscall(SYS_exit, result);  // exit_group, of _exit, is not among the calls allowed
    return result;
  });
}

}  // namespace lstmfast::test

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* p, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  lstmfast::test::count(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  lstmfast::test::count(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* p, std::size_t size) {
  lstmfast::test::count(size);
  return __libc_realloc(p, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  lstmfast::test::count(size);
  return __libc_memalign(alignment, size);
}
int pthread_mutex_lock(pthread_mutex_t* mutex) {
  ++lstmfast::test::locks;
  static auto* const next =
      reinterpret_cast<int (*)(pthread_mutex_t*)>(::dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  return next(mutex);
}
}

#endif
