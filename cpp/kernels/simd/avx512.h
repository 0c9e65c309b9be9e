// The vector vocabulary on AVX-512 (F, BW, DQ, VL): 16 floats or 8 doubles, 32 registers.
// Included inside the anonymous namespace of kernels_isa.cpp; see simd/README.md for what each name
// must do.

constexpr int kRegisters = 32, kVectorBytes = 64;
#include "kernels/simd/vector.h"

template <class T>
struct Mask;
template <>
struct Mask<float> {
  __mmask16 m;
};
template <>
struct Mask<double> {
  __mmask8 m;
};

// Bits of the first n lanes.
LF_INLINE __mmask16 part32(index n) { return (__mmask16)((1u << n) - 1); }
LF_INLINE __mmask8 part64(index n) { return (__mmask8)((1u << n) - 1); }
LF_INLINE F32 load_part(const float* p, index n) { return {_mm512_maskz_loadu_ps(part32(n), p)}; }
LF_INLINE F64 load_part(const double* p, index n) { return {_mm512_maskz_loadu_pd(part64(n), p)}; }
LF_INLINE void store_part(F32 x, float* p, index n) { _mm512_mask_storeu_ps(p, part32(n), x.v); }
LF_INLINE void store_part(F64 x, double* p, index n) { _mm512_mask_storeu_pd(p, part64(n), x.v); }

LF_INLINE F32 fma(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
LF_INLINE F64 fma(F64 a, F64 b, F64 c) { return {_mm512_fmadd_pd(a.v, b.v, c.v)}; }
LF_INLINE F32 fnma(F32 a, F32 b, F32 c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
LF_INLINE F64 fnma(F64 a, F64 b, F64 c) { return {_mm512_fnmadd_pd(a.v, b.v, c.v)}; }
LF_INLINE F32 min(F32 a, F32 b) { return {_mm512_min_ps(a.v, b.v)}; }
LF_INLINE F64 min(F64 a, F64 b) { return {_mm512_min_pd(a.v, b.v)}; }
LF_INLINE F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.v, b.v)}; }
LF_INLINE F64 max(F64 a, F64 b) { return {_mm512_max_pd(a.v, b.v)}; }
LF_INLINE F32 sqrt(F32 a) { return {_mm512_sqrt_ps(a.v)}; }
LF_INLINE F64 sqrt(F64 a) { return {_mm512_sqrt_pd(a.v)}; }
LF_INLINE F32 abs(F32 a) { return {_mm512_abs_ps(a.v)}; }
LF_INLINE F64 abs(F64 a) { return {_mm512_abs_pd(a.v)}; }
LF_INLINE F32 round(F32 a) { return {_mm512_roundscale_ps(a.v, 8)}; }
LF_INLINE F64 round(F64 a) { return {_mm512_roundscale_pd(a.v, 8)}; }
LF_INLINE F32 bit_and(F32 a, F32 b) { return {_mm512_and_ps(a.v, b.v)}; }
LF_INLINE F64 bit_and(F64 a, F64 b) { return {_mm512_and_pd(a.v, b.v)}; }
LF_INLINE F32 bit_or(F32 a, F32 b) { return {_mm512_or_ps(a.v, b.v)}; }
LF_INLINE F64 bit_or(F64 a, F64 b) { return {_mm512_or_pd(a.v, b.v)}; }
LF_INLINE F32 shift_left(F32 a, int n) { return {(__m512)_mm512_slli_epi32((__m512i)a.v, n)}; }
LF_INLINE F64 shift_left(F64 a, int n) { return {(__m512d)_mm512_slli_epi64((__m512i)a.v, n)}; }
LF_INLINE F32 shift_right(F32 a, int n) { return {(__m512)_mm512_srli_epi32((__m512i)a.v, n)}; }
LF_INLINE F64 shift_right(F64 a, int n) { return {(__m512d)_mm512_srli_epi64((__m512i)a.v, n)}; }
LF_INLINE F32 scale2(F32 x, F32 n) { return {_mm512_scalef_ps(x.v, n.v)}; }
LF_INLINE F64 scale2(F64 x, F64 n) { return {_mm512_scalef_pd(x.v, n.v)}; }

LF_INLINE Mask<float> less(F32 a, F32 b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
LF_INLINE Mask<double> less(F64 a, F64 b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
LF_INLINE F32 select(Mask<float> m, F32 a, F32 b) { return {_mm512_mask_blend_ps(m.m, b.v, a.v)}; }
LF_INLINE F64 select(Mask<double> m, F64 a, F64 b) { return {_mm512_mask_blend_pd(m.m, b.v, a.v)}; }

// See window() in impl/lanes.inl.
LF_INLINE F32 window(F32 lo, F32 hi, index first, index n) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(int(first)));
  return {_mm512_maskz_permutex2var_ps(part32(n), lo.v, at, hi.v)};
}
LF_INLINE F64 window(F64 lo, F64 hi, index first, index n) {
  const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i at = _mm512_add_epi64(lanes, _mm512_set1_epi64(first));
  return {_mm512_maskz_permutex2var_pd(part64(n), lo.v, at, hi.v)};
}

// See sum_by_halves() in impl/lanes.inl.
LF_INLINE float sum_by_halves(F32 x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x.v), _mm512_extractf32x8_ps(x.v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
LF_INLINE double sum_by_halves(F64 x) {
  const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(x.v), _mm512_extractf64x4_pd(x.v, 1));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// In-place transpose of kLanes x kLanes elements held in kLanes vectors.
LF_INLINE void transpose(F64 (&r)[8]) {
  __m512d t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm512_unpacklo_pd(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_pd(r[i].v, r[i + 1].v);
  }
  for (int i = 0; i < 2; ++i) {
    const __m512d a = _mm512_shuffle_f64x2(t[i], t[i + 2], 0x88);
    const __m512d b = _mm512_shuffle_f64x2(t[i], t[i + 2], 0xdd);
    const __m512d c = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0x88);
    const __m512d d = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0xdd);
    r[i].v = _mm512_shuffle_f64x2(a, c, 0x88);
    r[i + 4].v = _mm512_shuffle_f64x2(a, c, 0xdd);
    r[i + 2].v = _mm512_shuffle_f64x2(b, d, 0x88);
    r[i + 6].v = _mm512_shuffle_f64x2(b, d, 0xdd);
  }
}

LF_INLINE void transpose(F32 (&r)[16]) {
  __m512 t[16];
  for (int i = 0; i < 16; i += 4) {
    const __m512 a = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    const __m512 b = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    const __m512 c = _mm512_unpacklo_ps(r[i + 2].v, r[i + 3].v);
    const __m512 d = _mm512_unpackhi_ps(r[i + 2].v, r[i + 3].v);
    t[i] = _mm512_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512 a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
    r[i].v = _mm512_shuffle_f32x4(a, c, 0x88);
    r[i + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
    r[i + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
    r[i + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}

// Lanes of 64 bits, as whole numbers.
struct Words {
  static constexpr int kLanes = 8;
  __m512i v;
  static LF_INLINE Words set(uint64_t x) { return {_mm512_set1_epi64((long long)x)}; }
  static LF_INLINE Words load(const uint64_t* p) { return {_mm512_loadu_si512(p)}; }
};

LF_INLINE Words operator+(Words a, Words b) { return {_mm512_add_epi64(a.v, b.v)}; }
LF_INLINE Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
LF_INLINE Words multiply_low(Words a, Words b) { return {_mm512_mul_epu32(a.v, b.v)}; }
LF_INLINE Words high(Words a) { return {_mm512_srli_epi64(a.v, 32)}; }
LF_INLINE Words join_low(Words a, Words b) {
  return {_mm512_mask_blend_epi32(0xaaaa, a.v, _mm512_slli_epi64(b.v, 32))};
}
LF_INLINE void swap_odd_even(Words& a, Words& b) {
  const __m512i even = _mm512_unpacklo_epi64(a.v, b.v);
  b.v = _mm512_unpackhi_epi64(a.v, b.v);
  a.v = even;
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<float> (&m)[1]) {
  m[0].m = _mm512_cmple_epu32_mask(a.v, b.v);
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<double> (&m)[2]) {
  const __mmask16 all = _mm512_cmple_epu32_mask(a.v, b.v);
  m[0].m = (__mmask8)all;
  m[1].m = (__mmask8)(all >> 8);
}

// Sums of products of small whole numbers.
#if defined(__AVX512VNNI__)
constexpr int kGroup = 4;
LF_INLINE Ints load_group(const signed char* p) {
  return {(Ints::Lanes)_mm512_loadu_si512((const void*)p)};
}
LF_INLINE Ints add_products(Ints sum, Ints a, Ints b) {
  return {(Ints::Lanes)_mm512_dpbusd_epi32((__m512i)sum.v, (__m512i)a.v, (__m512i)b.v)};
}
#else
constexpr int kGroup = 2;
LF_INLINE Ints load_group(const signed char* p) {
  return {(Ints::Lanes)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i*)p))};
}
LF_INLINE Ints add_products(Ints sum, Ints a, Ints b) {
  return {sum.v + (Ints::Lanes)_mm512_madd_epi16((__m512i)a.v, (__m512i)b.v)};
}
#endif
