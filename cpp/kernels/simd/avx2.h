// The vector vocabulary on AVX2 with FMA: 8 floats or 4 doubles, 16 registers.
// Included inside the anonymous namespace of kernels_isa.cpp; see simd/README.md for what each name
// must do.

constexpr int kRegisters = 16, kVectorBytes = 32;
#include "kernels/simd/vector.h"

template <class T>
using Mask = Vec<T>;  // all bits of a lane, or none

// Bits set in the first n lanes.
LF_INLINE __m256i part32(index n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
LF_INLINE __m256i part64(index n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)n), _mm256_setr_epi64x(0, 1, 2, 3));
}
LF_INLINE F32 load_part(const float* p, index n) { return {_mm256_maskload_ps(p, part32(n))}; }
LF_INLINE F64 load_part(const double* p, index n) { return {_mm256_maskload_pd(p, part64(n))}; }
LF_INLINE void store_part(F32 x, float* p, index n) { _mm256_maskstore_ps(p, part32(n), x.v); }
LF_INLINE void store_part(F64 x, double* p, index n) { _mm256_maskstore_pd(p, part64(n), x.v); }

LF_INLINE F32 fma(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
LF_INLINE F64 fma(F64 a, F64 b, F64 c) { return {_mm256_fmadd_pd(a.v, b.v, c.v)}; }
LF_INLINE F32 fnma(F32 a, F32 b, F32 c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
LF_INLINE F64 fnma(F64 a, F64 b, F64 c) { return {_mm256_fnmadd_pd(a.v, b.v, c.v)}; }
LF_INLINE F32 min(F32 a, F32 b) { return {_mm256_min_ps(a.v, b.v)}; }
LF_INLINE F64 min(F64 a, F64 b) { return {_mm256_min_pd(a.v, b.v)}; }
LF_INLINE F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.v, b.v)}; }
LF_INLINE F64 max(F64 a, F64 b) { return {_mm256_max_pd(a.v, b.v)}; }
LF_INLINE F32 sqrt(F32 a) { return {_mm256_sqrt_ps(a.v)}; }
LF_INLINE F64 sqrt(F64 a) { return {_mm256_sqrt_pd(a.v)}; }
LF_INLINE F32 round(F32 a) { return {_mm256_round_ps(a.v, 8)}; }
LF_INLINE F64 round(F64 a) { return {_mm256_round_pd(a.v, 8)}; }
LF_INLINE F32 bit_and(F32 a, F32 b) { return {_mm256_and_ps(a.v, b.v)}; }
LF_INLINE F64 bit_and(F64 a, F64 b) { return {_mm256_and_pd(a.v, b.v)}; }
LF_INLINE F32 bit_or(F32 a, F32 b) { return {_mm256_or_ps(a.v, b.v)}; }
LF_INLINE F64 bit_or(F64 a, F64 b) { return {_mm256_or_pd(a.v, b.v)}; }
LF_INLINE F32 abs(F32 a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
LF_INLINE F64 abs(F64 a) { return {_mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v)}; }
LF_INLINE F32 shift_left(F32 a, int n) { return {(__m256)_mm256_slli_epi32((__m256i)a.v, n)}; }
LF_INLINE F64 shift_left(F64 a, int n) { return {(__m256d)_mm256_slli_epi64((__m256i)a.v, n)}; }
LF_INLINE F32 shift_right(F32 a, int n) { return {(__m256)_mm256_srli_epi32((__m256i)a.v, n)}; }
LF_INLINE F64 shift_right(F64 a, int n) { return {(__m256d)_mm256_srli_epi64((__m256i)a.v, n)}; }

LF_INLINE Mask<float> less(F32 a, F32 b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
LF_INLINE Mask<double> less(F64 a, F64 b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
LF_INLINE F32 select(Mask<float> m, F32 a, F32 b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
LF_INLINE F64 select(Mask<double> m, F64 a, F64 b) { return {_mm256_blendv_pd(b.v, a.v, m.v)}; }

// See window() in impl/lanes.inl.
LF_INLINE F32 window(F32 lo, F32 hi, index first, index n) {
  const __m256i at =
      _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(int(first)));
  const __m256 in_hi = _mm256_castsi256_ps(_mm256_cmpgt_epi32(at, _mm256_set1_epi32(7)));
  const __m256 all = _mm256_blendv_ps(_mm256_permutevar8x32_ps(lo.v, at),
                                      _mm256_permutevar8x32_ps(hi.v, at), in_hi);
  return {_mm256_and_ps(all, _mm256_castsi256_ps(part32(n)))};
}
LF_INLINE F64 window(F64 lo, F64 hi, index first, index n) {
  const F32 all =
      window(F32{_mm256_castpd_ps(lo.v)}, F32{_mm256_castpd_ps(hi.v)}, 2 * first, 2 * n);
  return {_mm256_castps_pd(all.v)};
}

// See sum_by_halves() in impl/lanes.inl.
LF_INLINE float sum_by_halves(F32 x) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x.v), _mm256_extractf128_ps(x.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
LF_INLINE double sum_by_halves(F64 x) {
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(x.v), _mm256_extractf128_pd(x.v, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

// In-place transpose of kLanes x kLanes elements held in kLanes vectors.
LF_INLINE void transpose(F64 (&r)[4]) {
  const __m256d a = _mm256_unpacklo_pd(r[0].v, r[1].v), b = _mm256_unpackhi_pd(r[0].v, r[1].v);
  const __m256d c = _mm256_unpacklo_pd(r[2].v, r[3].v), d = _mm256_unpackhi_pd(r[2].v, r[3].v);
  r[0].v = _mm256_permute2f128_pd(a, c, 0x20);
  r[1].v = _mm256_permute2f128_pd(b, d, 0x20);
  r[2].v = _mm256_permute2f128_pd(a, c, 0x31);
  r[3].v = _mm256_permute2f128_pd(b, d, 0x31);
}

LF_INLINE void transpose(F32 (&r)[8]) {
  __m256 t[8];
  for (int i = 0; i < 8; i += 4) {
    const __m256 a = _mm256_unpacklo_ps(r[i].v, r[i + 1].v),
                 b = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
    const __m256 c = _mm256_unpacklo_ps(r[i + 2].v, r[i + 3].v);
    const __m256 d = _mm256_unpackhi_ps(r[i + 2].v, r[i + 3].v);
    t[i] = _mm256_shuffle_ps(a, c, 0x44);
    t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i].v = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
    r[i + 4].v = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
  }
}

// Lanes of 64 bits, as whole numbers.
struct Words {
  static constexpr int kLanes = 4;
  __m256i v;
  static LF_INLINE Words set(uint64_t x) { return {_mm256_set1_epi64x((long long)x)}; }
  static LF_INLINE Words load(const uint64_t* p) { return {_mm256_loadu_si256((const __m256i*)p)}; }
};

LF_INLINE Words operator+(Words a, Words b) { return {_mm256_add_epi64(a.v, b.v)}; }
LF_INLINE Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.v, b.v)}; }
LF_INLINE Words multiply_low(Words a, Words b) { return {_mm256_mul_epu32(a.v, b.v)}; }
LF_INLINE Words high(Words a) { return {_mm256_srli_epi64(a.v, 32)}; }
LF_INLINE Words join_low(Words a, Words b) {
  return {_mm256_blend_epi32(a.v, _mm256_slli_epi64(b.v, 32), 0xaa)};
}
LF_INLINE void swap_odd_even(Words& a, Words& b) {
  const __m256i even = _mm256_unpacklo_epi64(a.v, b.v);
  b.v = _mm256_unpackhi_epi64(a.v, b.v);
  a.v = even;
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<float> (&m)[1]) {
  m[0].v = _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_min_epu32(a.v, b.v), a.v));
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<double> (&m)[2]) {
  const __m256i all = _mm256_cmpeq_epi32(_mm256_min_epu32(a.v, b.v), a.v);
  m[0].v = _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(all)));
  m[1].v = _mm256_castsi256_pd(_mm256_cvtepi32_epi64(_mm256_extracti128_si256(all, 1)));
}

// Sums of products of small whole numbers.
constexpr int kGroup = 2;
LF_INLINE Ints load_group(const signed char* p) {
  return {(Ints::Lanes)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)p))};
}
LF_INLINE Ints add_products(Ints sum, Ints a, Ints b) {
  return {sum.v + (Ints::Lanes)_mm256_madd_epi16((__m256i)a.v, (__m256i)b.v)};
}
