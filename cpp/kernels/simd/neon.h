// The vector vocabulary on aarch64 NEON: 4 floats or 2 doubles, 32 registers.
// Included inside the anonymous namespace of kernels_isa.cpp; see simd/README.md for what each name
// must do.

constexpr int kRegisters = 32, kVectorBytes = 16;
#include "kernels/simd/parts.h"

template <class T>
struct Mask;
template <>
struct Mask<float> {
  uint32x4_t m;
};
template <>
struct Mask<double> {
  uint64x2_t m;
};

LF_INLINE F64 load_part(const double* p, index n) {
  double t[2] = {0, 0};
  for (index i = 0; i < n; ++i) t[i] = p[i];
  return F64::load(t);
}
LF_INLINE void store_part(F64 x, double* p, index n) {
  double t[2];
  x.store(t);
  for (index i = 0; i < n; ++i) p[i] = t[i];
}

LF_INLINE F32 fma(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
LF_INLINE F64 fma(F64 a, F64 b, F64 c) { return {vfmaq_f64(c.v, a.v, b.v)}; }
LF_INLINE F32 fnma(F32 a, F32 b, F32 c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
LF_INLINE F64 fnma(F64 a, F64 b, F64 c) { return {vfmsq_f64(c.v, a.v, b.v)}; }
LF_INLINE Mask<float> less(F32 a, F32 b) { return {vcltq_f32(a.v, b.v)}; }
LF_INLINE Mask<double> less(F64 a, F64 b) { return {vcltq_f64(a.v, b.v)}; }
LF_INLINE F32 select(Mask<float> m, F32 a, F32 b) { return {vbslq_f32(m.m, a.v, b.v)}; }
LF_INLINE F64 select(Mask<double> m, F64 a, F64 b) { return {vbslq_f64(m.m, a.v, b.v)}; }
// As on x86: the second operand when either is NaN.
template <class T>
LF_INLINE Vec<T> min(Vec<T> a, Vec<T> b) {
  return select(less(a, b), a, b);
}
template <class T>
LF_INLINE Vec<T> max(Vec<T> a, Vec<T> b) {
  return select(less(b, a), a, b);
}
LF_INLINE F32 sqrt(F32 a) { return {vsqrtq_f32(a.v)}; }
LF_INLINE F64 sqrt(F64 a) { return {vsqrtq_f64(a.v)}; }
LF_INLINE F32 abs(F32 a) { return {vabsq_f32(a.v)}; }
LF_INLINE F64 abs(F64 a) { return {vabsq_f64(a.v)}; }
LF_INLINE F32 round(F32 a) { return {vrndnq_f32(a.v)}; }
LF_INLINE F64 round(F64 a) { return {vrndnq_f64(a.v)}; }
LF_INLINE F32 bit_and(F32 a, F32 b) {
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
LF_INLINE F64 bit_and(F64 a, F64 b) {
  return {vreinterpretq_f64_u64(vandq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
LF_INLINE F32 bit_or(F32 a, F32 b) {
  return {vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(a.v), vreinterpretq_u32_f32(b.v)))};
}
LF_INLINE F64 bit_or(F64 a, F64 b) {
  return {vreinterpretq_f64_u64(vorrq_u64(vreinterpretq_u64_f64(a.v), vreinterpretq_u64_f64(b.v)))};
}
LF_INLINE F32 shift_left(F32 a, int n) { return {(float32x4_t)((uint32x4_t)a.v << n)}; }
LF_INLINE F64 shift_left(F64 a, int n) { return {(float64x2_t)((uint64x2_t)a.v << n)}; }
LF_INLINE F32 shift_right(F32 a, int n) { return {(float32x4_t)((uint32x4_t)a.v >> n)}; }
LF_INLINE F64 shift_right(F64 a, int n) { return {(float64x2_t)((uint64x2_t)a.v >> n)}; }

// In-place transpose of kLanes x kLanes elements held in kLanes vectors.
LF_INLINE void transpose(F64 (&r)[2]) {
  const float64x2_t a = vzip1q_f64(r[0].v, r[1].v);
  r[1].v = vzip2q_f64(r[0].v, r[1].v);
  r[0].v = a;
}
LF_INLINE void transpose(F32 (&r)[4]) {
  const float32x4x2_t a = vtrnq_f32(r[0].v, r[1].v), b = vtrnq_f32(r[2].v, r[3].v);
  r[0].v = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1].v = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2].v = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3].v = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

// Lanes of 64 bits, as whole numbers.
struct Words {
  static constexpr int kLanes = 2;
  uint64x2_t v;
  static LF_INLINE Words set(uint64_t x) { return {vdupq_n_u64(x)}; }
  static LF_INLINE Words load(const uint64_t* p) { return {vld1q_u64(p)}; }
};

LF_INLINE Words operator+(Words a, Words b) { return {vaddq_u64(a.v, b.v)}; }
LF_INLINE Words operator^(Words a, Words b) { return {veorq_u64(a.v, b.v)}; }
LF_INLINE Words multiply_low(Words a, Words b) {
  return {vmull_u32(vmovn_u64(a.v), vmovn_u64(b.v))};
}
LF_INLINE Words high(Words a) { return {vshrq_n_u64(a.v, 32)}; }
LF_INLINE Words join_low(Words a, Words b) { return {vsliq_n_u64(a.v, b.v, 32)}; }
LF_INLINE void swap_odd_even(Words& a, Words& b) {
  const uint64x2_t even = vtrn1q_u64(a.v, b.v);
  b.v = vtrn2q_u64(a.v, b.v);
  a.v = even;
}
LF_INLINE uint32x4_t halves_up_to(Words a, Words b) {
  return vcleq_u32(vreinterpretq_u32_u64(a.v), vreinterpretq_u32_u64(b.v));
}
LF_INLINE void halves_up_to(Words a, Words b, Mask<float> (&m)[1]) { m[0].m = halves_up_to(a, b); }
LF_INLINE void halves_up_to(Words a, Words b, Mask<double> (&m)[2]) {
  const uint32x4_t all = halves_up_to(a, b);
  m[0].m = vreinterpretq_u64_u32(vzip1q_u32(all, all));
  m[1].m = vreinterpretq_u64_u32(vzip2q_u32(all, all));
}

// Sums of products of small whole numbers.
constexpr int kGroup = 2;
LF_INLINE Ints load_group(const signed char* p) { return {(Ints::Lanes)vmovl_s8(vld1_s8(p))}; }
LF_INLINE Ints add_products(Ints sum, Ints a, Ints b) {
  const int16x8_t x = (int16x8_t)a.v, w = (int16x8_t)b.v;
  const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(w));
  return {sum.v + (Ints::Lanes)vpaddq_s32(low, vmull_high_s16(x, w))};
}
