// exp, expm1, tanh and sigmoid over vectors, in at most 4 ulp wherever argument and result are
// normal numbers.
//
// With n = round(x / ln 2) and r = x - n ln 2 (two-part ln 2), expm1(r) = r + r^2 q(r), |r| <= ln 2
// / 2; q interpolates (expm1(r) - r) / r^2 at Chebyshev nodes (relative error 2.5e-8 in float,
// 5.5e-19 in double: tools/fit_polynomials.py). Everything runs at any lane count with the same
// operations in the same order, so a lane's bits do not depend on where in a vector it stands.

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
  static constexpr float kLog2e = 1.44269504f, kLn2Hi = 0.693359375f, kLn2Lo = -0.00021219444f;
  static constexpr float kExpLimit = 104.0f;      // beyond: 0 or infinity
  static constexpr float kTanhLimit = 20.0f;      // of 2|x|: tanh is 1 from 18.1 on
  static constexpr float kTanhOne = 33554432.0f;  // 2^25
  static constexpr int kMantissa = 23;
  static constexpr float kPow2Magic = 12582912.0f + 127.0f;  // 1.5 * 2^23 + exponent bias
  static constexpr int kTerms = 5;
  static constexpr float kQ[kTerms] = {0.5f, 0.16666576266288757f, 0.041666556149721146f,
                                       0.008363203145563602f, 0.0013926213141530752f};
};

template <>
struct MathConstants<double> {
  static constexpr double kLog2e = 1.4426950408889634, kLn2Hi = 0.6931471803691238;
  static constexpr double kLn2Lo = 1.9082149292705877e-10;
  static constexpr double kExpLimit = 746.0;
  static constexpr double kTanhLimit = 44.0;               // of 2|x|: tanh is 1 from 38.2 on
  static constexpr double kTanhOne = 18014398509481984.0;  // 2^54
  static constexpr int kMantissa = 52;
  static constexpr double kPow2Magic = 6755399441055744.0 + 1023.0;  // 1.5 * 2^52 + exponent bias
  static constexpr int kTerms = 11;
  static constexpr double kQ[kTerms] = {0.5,
                                        0.1666666666666667,
                                        0.04166666666666667,
                                        0.008333333333326112,
                                        0.001388888888888373,
                                        0.0001984126987490126,
                                        2.4801587325605324e-05,
                                        2.7557255297969643e-06,
                                        2.755727357010214e-07,
                                        2.5105259538448494e-08,
                                        2.0914717341716378e-09};
};

// 2^n for integral n of the normal exponent range: the sum leaves n + bias in the low bits, which
// become the exponent.
template <class T>
LF_INLINE Vec<T> pow2(Vec<T> n) {
  using K = MathConstants<T>;
  return shift_left(n + Vec<T>::set(K::kPow2Magic), K::kMantissa);
}

// An ISA may have its own. Two factors, because n may leave the exponent range when x * 2^n does
// not.
template <class T>
LF_INLINE Vec<T> scale2(Vec<T> x, Vec<T> n) {
  const Vec<T> half = round(n * Vec<T>::set(T(0.5)));
  return x * pow2(half) * pow2(n - half);
}

// expm1(r), for |r| <= ln 2 / 2, of N interleaved vectors, which hides the latency of each step.
template <class T, int N>
LF_INLINE void expm1_small(Vec<T> (&r)[N]) {
  using K = MathConstants<T>;
  Vec<T> q[N];
  LF_UNROLL
  for (int j = 0; j < N; ++j) q[j] = Vec<T>::set(K::kQ[K::kTerms - 1]);
  LF_UNROLL
  for (int i = K::kTerms - 2; i >= 0; --i) {
    LF_UNROLL
    for (int j = 0; j < N; ++j) q[j] = fma(q[j], r[j], Vec<T>::set(K::kQ[i]));
  }
  LF_UNROLL
  for (int j = 0; j < N; ++j) r[j] = fma(r[j] * r[j], q[j], r[j]);
}

template <class T>
LF_INLINE Vec<T> expm1_small(Vec<T> r) {
  Vec<T> y[1] = {r};
  expm1_small(y);
  return y[0];
}

// expm1(r) for |r| <= ln 2 / 2, and n, of finite x within +-kExpLimit, in place.
template <class T, int N>
LF_INLINE void expm1_reduced(Vec<T> (&x)[N], Vec<T> (&n)[N]) {
  using K = MathConstants<T>;
  LF_UNROLL
  for (int j = 0; j < N; ++j) n[j] = round(x[j] * Vec<T>::set(K::kLog2e));
  LF_UNROLL
  for (int j = 0; j < N; ++j) x[j] = fnma(n[j], Vec<T>::set(K::kLn2Hi), x[j]);
  LF_UNROLL
  for (int j = 0; j < N; ++j) x[j] = fnma(n[j], Vec<T>::set(K::kLn2Lo), x[j]);
  expm1_small(x);
}

template <class T>
LF_INLINE Vec<T> exp(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> limit = Vec<T>::set(K::kExpLimit);
  // min and max return their second operand where it is NaN.
  x = max(Vec<T>::zero() - limit, min(limit, x));
  Vec<T> p[1] = {x}, n[1];
  expm1_reduced(p, n);
  return scale2(p[0] + Vec<T>::set(T(1)), n[0]);
}

// e^x - 1, for x up to 88 (float) or 709 (double) and any negative x, or NaN.
template <class T>
LF_INLINE Vec<T> expm1(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> limit = Vec<T>::set(K::kExpLimit);
  x = max(Vec<T>::zero() - limit, min(limit, x));
  Vec<T> p[1] = {x}, n[1];
  expm1_reduced(p, n);
  const Vec<T> s = scale2(Vec<T>::set(T(1)), n[0]);
  return fma(s, p[0], s - Vec<T>::set(T(1)));
}

// Of N interleaved vectors: tanh where kTanh has the vector's bit set, else sigmoid.
//   sigmoid: 1 / (1 + e^-x).
//   tanh: e / (e + 2) with e = expm1(2 |x|), and the sign of x. e is limited to kTanhOne, above
//   which e + 2 would round up and down in turn, and the quotient is 1.
template <unsigned kTanh, class T, int N>
LF_INLINE void squash(Vec<T> (&x)[N]) {
  using K = MathConstants<T>;
  const Vec<T> one = Vec<T>::set(T(1)), limit = Vec<T>::set(K::kExpLimit);
  Vec<T> p[N], n[N];
  LF_UNROLL
  for (int j = 0; j < N; ++j) {
    const Vec<T> a = abs(x[j]);
    // min and max return their second operand where it is NaN.
    p[j] = kTanh >> j & 1 ? min(Vec<T>::set(K::kTanhLimit), a + a)
                          : max(Vec<T>::zero() - limit, min(limit, Vec<T>::zero() - x[j]));
  }
  expm1_reduced(p, n);
  LF_UNROLL
  for (int j = 0; j < N; ++j) {
    if (kTanh >> j & 1) {
      const Vec<T> s = pow2(n[j]);
      const Vec<T> e = min(Vec<T>::set(K::kTanhOne), fma(s, p[j], s - one));
      x[j] = bit_or(e / (e + Vec<T>::set(T(2))), bit_and(x[j], Vec<T>::set(T(-0.0))));
    } else {
      x[j] = one / (one + scale2(p[j] + one, n[j]));
    }
  }
}

template <class T>
LF_INLINE Vec<T> sigmoid(Vec<T> x) {
  Vec<T> y[1] = {x};
  squash<0>(y);
  return y[0];
}

template <class T>
LF_INLINE Vec<T> tanh(Vec<T> x) {
  Vec<T> y[1] = {x};
  squash<1>(y);
  return y[0];
}
