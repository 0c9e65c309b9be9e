// What the files compiled once per ISA begin with: the intrinsics and the macros of the kernels.
#pragma once

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

// The vocabulary of an ISA, by its name. clang-format would write spaces into the path.
// clang-format off
#define LF_SIMD(name) LF_STRING(simd/name.h)
// clang-format on
