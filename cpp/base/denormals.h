// The thread's floating-point mode, a scope that flushes denormals; must not know what is computed.
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
#endif

namespace lstmfast::base {

// The control register of this thread: rounding, traps, flushing (and, on x86, the sticky flags).
using FpMode = std::uint64_t;

inline FpMode fp_mode() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(_MSC_VER) && defined(_M_X64)
  return _mm_getcsr();
#elif defined(__aarch64__)
  FpMode mode;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

inline void set_fp_mode(FpMode mode) noexcept {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(static_cast<unsigned>(mode));
#elif defined(_MSC_VER) && defined(_M_X64)
  _mm_setcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  __asm__ __volatile__("msr fpcr, %0" : : "r"(mode) : "memory");
#else
  static_cast<void>(mode);
#endif
}

// Bits that flush denormal results and read denormal operands as zero: MXCSR FTZ | DAZ, FPCR FZ.
#if defined(__x86_64__) || defined(_M_X64)
inline constexpr FpMode kFlushBits = 0x8040;
#elif defined(__aarch64__)
inline constexpr FpMode kFlushBits = FpMode{1} << 24;
#else
inline constexpr FpMode kFlushBits = 0;
#endif

// Flushes on this thread while it lives, then gives the caller's mode back whole: a host that
// counts on denormals, or reads the sticky flags, sees no trace of us.
class FlushDenormals {
 public:
  FlushDenormals() noexcept : saved_(fp_mode()) { set_fp_mode(saved_ | kFlushBits); }
  ~FlushDenormals() { set_fp_mode(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  FpMode saved_;
};

}  // namespace lstmfast::base
