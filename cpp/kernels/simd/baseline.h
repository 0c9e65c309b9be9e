// The vector vocabulary on x86-64-v2 (SSE4.2): 4 floats or 2 doubles, 16 registers. There is no
// fused multiply-add: fma() rounds twice here, so results differ from other ISAs in the last bits
// (they agree among themselves). Included inside the anonymous namespace of kernels_isa.cpp; see
// simd/README.md for what each name must do.

constexpr int kRegisters = 16, kVectorBytes = 16;
#include "kernels/simd/parts.h"

template <class T>
using Mask = Vec<T>;  // all bits of a lane, or none

LF_INLINE F64 load_part(const double* p, index n) {
  return n >= 2 ? F64::load(p) : n == 1 ? F64{_mm_load_sd(p)} : F64::zero();
}
LF_INLINE void store_part(F64 x, double* p, index n) {
  if (n >= 2) {
    x.store(p);
  } else if (n == 1) {
    _mm_store_sd(p, x.v);
  }
}

LF_INLINE F32 fma(F32 a, F32 b, F32 c) { return a * b + c; }
LF_INLINE F64 fma(F64 a, F64 b, F64 c) { return a * b + c; }
LF_INLINE F32 fnma(F32 a, F32 b, F32 c) { return c - a * b; }
LF_INLINE F64 fnma(F64 a, F64 b, F64 c) { return c - a * b; }
LF_INLINE F32 min(F32 a, F32 b) { return {_mm_min_ps(a.v, b.v)}; }
LF_INLINE F64 min(F64 a, F64 b) { return {_mm_min_pd(a.v, b.v)}; }
LF_INLINE F32 max(F32 a, F32 b) { return {_mm_max_ps(a.v, b.v)}; }
LF_INLINE F64 max(F64 a, F64 b) { return {_mm_max_pd(a.v, b.v)}; }
LF_INLINE F32 sqrt(F32 a) { return {_mm_sqrt_ps(a.v)}; }
LF_INLINE F64 sqrt(F64 a) { return {_mm_sqrt_pd(a.v)}; }
LF_INLINE F32 round(F32 a) { return {_mm_round_ps(a.v, 8)}; }
LF_INLINE F64 round(F64 a) { return {_mm_round_pd(a.v, 8)}; }
LF_INLINE F32 bit_and(F32 a, F32 b) { return {_mm_and_ps(a.v, b.v)}; }
LF_INLINE F64 bit_and(F64 a, F64 b) { return {_mm_and_pd(a.v, b.v)}; }
LF_INLINE F32 bit_or(F32 a, F32 b) { return {_mm_or_ps(a.v, b.v)}; }
LF_INLINE F64 bit_or(F64 a, F64 b) { return {_mm_or_pd(a.v, b.v)}; }
LF_INLINE F32 abs(F32 a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)}; }
LF_INLINE F64 abs(F64 a) { return {_mm_andnot_pd(_mm_set1_pd(-0.0), a.v)}; }
LF_INLINE F32 shift_left(F32 a, int n) { return {(__m128)_mm_slli_epi32((__m128i)a.v, n)}; }
LF_INLINE F64 shift_left(F64 a, int n) { return {(__m128d)_mm_slli_epi64((__m128i)a.v, n)}; }
LF_INLINE F32 shift_right(F32 a, int n) { return {(__m128)_mm_srli_epi32((__m128i)a.v, n)}; }
LF_INLINE F64 shift_right(F64 a, int n) { return {(__m128d)_mm_srli_epi64((__m128i)a.v, n)}; }

LF_INLINE Mask<float> less(F32 a, F32 b) { return {_mm_cmplt_ps(a.v, b.v)}; }
LF_INLINE Mask<double> less(F64 a, F64 b) { return {_mm_cmplt_pd(a.v, b.v)}; }
LF_INLINE F32 select(Mask<float> m, F32 a, F32 b) { return {_mm_blendv_ps(b.v, a.v, m.v)}; }
LF_INLINE F64 select(Mask<double> m, F64 a, F64 b) { return {_mm_blendv_pd(b.v, a.v, m.v)}; }

// In-place transpose of kLanes x kLanes elements held in kLanes vectors.
LF_INLINE void transpose(F32 (&r)[4]) { _MM_TRANSPOSE4_PS(r[0].v, r[1].v, r[2].v, r[3].v); }
LF_INLINE void transpose(F64 (&r)[2]) {
  const __m128d a = _mm_unpacklo_pd(r[0].v, r[1].v);
  r[1].v = _mm_unpackhi_pd(r[0].v, r[1].v);
  r[0].v = a;
}

// Lanes of 64 bits, as whole numbers.
struct Words {
  static constexpr int kLanes = 2;
  __m128i v;
  static LF_INLINE Words set(uint64_t x) { return {_mm_set1_epi64x((long long)x)}; }
  static LF_INLINE Words load(const uint64_t* p) { return {_mm_loadu_si128((const __m128i*)p)}; }
};

LF_INLINE Words operator+(Words a, Words b) { return {_mm_add_epi64(a.v, b.v)}; }
LF_INLINE Words operator^(Words a, Words b) { return {_mm_xor_si128(a.v, b.v)}; }
LF_INLINE Words multiply_low(Words a, Words b) { return {_mm_mul_epu32(a.v, b.v)}; }
LF_INLINE Words high(Words a) { return {_mm_srli_epi64(a.v, 32)}; }
LF_INLINE Words join_low(Words a, Words b) {
  return {_mm_blend_epi16(a.v, _mm_slli_epi64(b.v, 32), 0xcc)};
}
LF_INLINE void swap_odd_even(Words& a, Words& b) {
  const __m128i even = _mm_unpacklo_epi64(a.v, b.v);
  b.v = _mm_unpackhi_epi64(a.v, b.v);
  a.v = even;
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<float> (&m)[1]) {
  m[0].v = _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_min_epu32(a.v, b.v), a.v));
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<double> (&m)[2]) {
  const __m128i all = _mm_cmpeq_epi32(_mm_min_epu32(a.v, b.v), a.v);
  m[0].v = _mm_castsi128_pd(_mm_unpacklo_epi32(all, all));
  m[1].v = _mm_castsi128_pd(_mm_unpackhi_epi32(all, all));
}

// Sums of products of small whole numbers.
constexpr int kGroup = 2;
LF_INLINE Ints load_group(const signed char* p) {
  return {(Ints::Lanes)_mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i*)p))};
}
LF_INLINE Ints add_products(Ints sum, Ints a, Ints b) {
  return {sum.v + (Ints::Lanes)_mm_madd_epi16((__m128i)a.v, (__m128i)b.v)};
}
