// The thread's floating-point mode, and a scope that flushes denormals; must not know what is
// computed.
#pragma once

#include <cstdint>

#include "base/no_copy.h"

namespace lstmfast::base {

// The control register of this thread: rounding, traps, flushing (and, on x86, the sticky flags).
using FpMode = std::uint64_t;

inline FpMode fp_mode() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
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
#elif defined(__aarch64__)
  __asm__ __volatile__("msr fpcr, %0" : : "r"(mode) : "memory");
#else
  static_cast<void>(mode);
#endif
}

// Bits that flush denormal results and read denormal operands as zero: MXCSR FTZ | DAZ, FPCR FZ.
#if defined(__x86_64__)
inline constexpr FpMode kFlushBits = 0x8040;
#elif defined(__aarch64__)
inline constexpr FpMode kFlushBits = FpMode{1} << 24;
#else
inline constexpr FpMode kFlushBits = 0;
#endif

// Sets this thread's mode while it lives, then restores that of before, sticky flags included.
class WithFpMode : NoCopy {
 public:
  explicit WithFpMode(FpMode mode) noexcept : saved_(fp_mode()) { set_fp_mode(mode); }
  ~WithFpMode() { set_fp_mode(saved_); }

 private:
  FpMode saved_;
};

struct FlushDenormals : WithFpMode {
  FlushDenormals() noexcept : WithFpMode(fp_mode() | kFlushBits) {}
};

}  // namespace lstmfast::base
