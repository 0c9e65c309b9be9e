// Counts every operator new of the test program that includes this, once.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace lstmfast::test {
inline std::atomic<long> allocations{0};
}  // namespace lstmfast::test

// Not inlined: compilers that see only one side warn of a malloc that meets a delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++lstmfast::test::allocations;
  if (void* const p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
