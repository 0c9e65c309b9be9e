// Every kernel, for one ISA and one element type: LF_ISA and LF_REAL come from the build, which
// compiles this file once for each pair with the flags of that ISA. All code sits in an anonymous
// namespace and the object defines one strong symbol, its table: otherwise the linker could hand
// another ISA's copy of an inline function to an older CPU.

#if defined(__GNUC__) && !defined(__clang__)
// GCC writes "undefined" vectors as self-assigned variables in its own AVX-512 headers, and warns
// of them.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/table.h"

// Keeps the compiler from folding the load of a vector into the instructions that use it.
#if defined(__x86_64__)
#define LF_IN_REGISTER(vector) asm("" : "+v"(vector))
#else
#define LF_IN_REGISTER(vector) asm("" : "+w"(vector))
#endif

#define LF_STRING_(x) #x
#define LF_STRING(x) LF_STRING_(x)
#define LF_JOIN_(a, b, c) a##b##_##c
#define LF_JOIN(a, b, c) LF_JOIN_(a, b, c)
#define LF_INLINED __attribute__((always_inline))  // of lambdas, after their parameters
#define LF_INLINE inline LF_INLINED
#define LF_NOINLINE __attribute__((noinline))
#if defined(__clang__)
#define LF_UNROLL _Pragma("unroll")
#else
#define LF_UNROLL _Pragma("GCC unroll 16")
#endif

namespace lstmfast::kernels {
namespace {

// clang-format off: the path in LF_SIMD holds no spaces, and each file needs those above it
#define LF_SIMD(name) LF_STRING(simd/name.h)
#include LF_SIMD(LF_ISA)

#include "impl/math.inl"
#include "impl/smooth.inl"
#include "impl/activation.inl"
#include "impl/lanes.inl"
#include "impl/tile.inl"
#include "impl/gemm.inl"
#include "impl/outer.inl"
#include "impl/transpose.inl"
#include "impl/map.inl"
#include "cells/step_rows.inl"
#include "cells/plain.inl"
#include "cells/gates.inl"
#include "cells/standard.inl"
#include "cells/general.inl"
#include "cells/norm.inl"
#include "cells/gru.inl"
#include "cells/gru_reset_before.inl"
#include "cells/simple_rnn.inl"
#include "cells/hidden.inl"
#include "cells/read_gates.inl"
#include "impl/step_sums.inl"
#include "impl/step_tail.inl"
#include "impl/step.inl"
#include "impl/fma_chains.inl"
#include "impl/read_once.inl"
#include "impl/vector.inl"
// clang-format on

}  // namespace

extern const Table<LF_REAL> LF_JOIN(table_, LF_ISA, LF_REAL_NAME);
const Table<LF_REAL> LF_JOIN(table_, LF_ISA, LF_REAL_NAME) = {
    Vec<LF_REAL>::kLanes,
    {0, tile_rows(1), tile_rows(2), tile_rows(3), tile_rows(4)},
#define KERNEL(name, argument) name<LF_REAL>,
#include "kernels/kernels.def"
#undef KERNEL
};

}  // namespace lstmfast::kernels
