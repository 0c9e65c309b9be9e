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
  static constexpr float kExpLimit = 104.0f;  // beyond: 0 or infinity
  static constexpr float kSigmoidLimit = 88.0f;
  static constexpr float kTanhLimit = 10.0f;      // tanh is 1 from 9.1 on
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
  static constexpr double kSigmoidLimit = 709.0;
  static constexpr double kTanhLimit = 22.0;               // tanh is 1 from 19.1 on
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
// become the exponent. Where kMirrored 2^-n.
template <class T, bool kMirrored = false>
LF_INLINE Vec<T> pow2(Vec<T> n) {
  using K = MathConstants<T>;
  const Vec<T> magic = Vec<T>::set(K::kPow2Magic);
  return shift_left(kMirrored ? magic - n : magic + n, K::kMantissa);
}

// An ISA may have its own. Two factors, because n may leave the exponent range when x * 2^n does
// not.
template <class T>
LF_INLINE Vec<T> scale2(Vec<T> x, Vec<T> n) {
  const Vec<T> half = round(n * Vec<T>::set(T(0.5)));
  return x * pow2(half) * pow2(n - half);
}

// expm1(r), or 1 - e^-r where kMirrored, for |r| <= ln 2 / 2, as r + r^2 / 2 + r^3 (pairs of terms,
// each by r^2 the next): half as long a chain of operations as term by term. A step of a single row
// is little else than such chains.
template <bool kMirrored = false, class T>
LF_INLINE Vec<T> expm1_small(Vec<T> r) {
  using K = MathConstants<T>;
  static_assert(K::kTerms % 2 == 1);
  const auto add = [](T factor, Vec<T> x, Vec<T> to) LF_INLINED {
    return kMirrored ? fnma(Vec<T>::set(factor), x, to) : fma(Vec<T>::set(factor), x, to);
  };
  const auto pair = [&](int i) LF_INLINED { return add(K::kQ[i + 1], r, Vec<T>::set(K::kQ[i])); };
  const Vec<T> r2 = r * r;
  Vec<T> q = pair(K::kTerms - 2);
  LF_UNROLL
  for (int i = K::kTerms - 4; i > 0; i -= 2) q = fma(q, r2, pair(i));
  return fma(q, r2 * r, add(K::kQ[0], r2, r));
}

// x = n ln 2 + r, for x = factor y.
template <class T>
struct Exponent {
  Vec<T> n, r;
};
template <class T>
LF_INLINE Exponent<T> split_exponent(Vec<T> x, Vec<T> y, T factor) {
  using K = MathConstants<T>;
  const Vec<T> n = round(y * Vec<T>::set(factor * K::kLog2e));
  return {n, fnma(n, Vec<T>::set(K::kLn2Lo), fnma(n, Vec<T>::set(K::kLn2Hi), x))};
}
template <class T>
LF_INLINE Exponent<T> split_exponent(Vec<T> x) {
  return split_exponent(x, x, T(1));
}

template <class T>
LF_INLINE Vec<T> exp(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> limit = Vec<T>::set(K::kExpLimit);
  // min and max return their second operand where it is NaN.
  x = max(Vec<T>::zero() - limit, min(limit, x));
  const Exponent<T> e = split_exponent(x);
  return scale2(expm1_small(e.r) + Vec<T>::set(T(1)), e.n);
}

// e^x - 1, for x up to 88 (float) or 709 (double) and any negative x, or NaN.
template <class T>
LF_INLINE Vec<T> expm1(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> limit = Vec<T>::set(K::kExpLimit);
  x = max(Vec<T>::zero() - limit, min(limit, x));
  const Exponent<T> e = split_exponent(x);
  const Vec<T> s = scale2(Vec<T>::set(T(1)), e.n);
  return fma(s, expm1_small(e.r), s - Vec<T>::set(T(1)));
}

// 1 / (1 + e) with e = e^-x, from n and r of x. Beyond kSigmoidLimit it is 1, for pow2(-n) is 0
// there, or denormal, which the caller has flushed to 0.
template <class T>
LF_INLINE Vec<T> sigmoid(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> one = Vec<T>::set(T(1)), limit = Vec<T>::set(K::kSigmoidLimit);
  // min and max return their second operand where it is NaN.
  const Exponent<T> y = split_exponent(max(Vec<T>::zero() - limit, min(limit, x)));
  const Vec<T> s = pow2<T, true>(y.n);
  return one / (one + fnma(s, expm1_small<true>(y.r), s));
}

// e / (e + 2) with e = expm1(2 |x|), and the sign of x. Above kTanhOne the divisor would round up
// and down in turn, so e is limited to that, where the quotient is 1.
template <class T>
LF_INLINE Vec<T> tanh(Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> a = min(Vec<T>::set(K::kTanhLimit), abs(x));
  const Exponent<T> y = split_exponent(a + a, a, T(2));
  const Vec<T> s = pow2(y.n);
  const Vec<T> e = min(Vec<T>::set(K::kTanhOne), fma(s, expm1_small(y.r), s - Vec<T>::set(T(1))));
  return bit_or(e / (e + Vec<T>::set(T(2))), bit_and(x, Vec<T>::set(T(-0.0))));
}

// N vectors in place: tanh where kTanh has the vector's bit set, else sigmoid. One after the other,
// for the processor overlaps their chains by itself, and the registers do not hold more at a time.
template <unsigned kTanh, class T, int N>
LF_INLINE void squash(Vec<T> (&x)[N]) {
  LF_UNROLL
  for (int j = 0; j < N; ++j) x[j] = kTanh >> j & 1 ? tanh(x[j]) : sigmoid(x[j]);
}

// tanh in the lanes of the mask, sigmoid in the others, with the bits of both: n and r of -x are
// those of x with the other sign, and rounding is symmetric.
template <class T>
LF_INLINE Vec<T> tanh_or_sigmoid(Mask<T> is_tanh, Vec<T> x) {
  using K = MathConstants<T>;
  const Vec<T> one = Vec<T>::set(T(1)), zero = Vec<T>::zero();
  const auto of_tanh = [&](T value, Vec<T> other)
                           LF_INLINED { return select(is_tanh, Vec<T>::set(value), other); };
  const Vec<T> limit = Vec<T>::set(K::kSigmoidLimit);
  const Vec<T> a = min(Vec<T>::set(K::kTanhLimit), abs(x));
  const Vec<T> y = select(is_tanh, a + a, max(zero - limit, min(limit, zero - x)));
  const Exponent<T> split = split_exponent(y);
  const Vec<T> s = pow2(split.n), p = fma(s, expm1_small(split.r), s - of_tanh(T(1), zero));
  const Vec<T> e = select(is_tanh, min(Vec<T>::set(K::kTanhOne), p), p);
  return bit_or(select(is_tanh, e, one) / (e + of_tanh(T(2), one)),
                bit_and(x, of_tanh(T(-0.0), zero)));
}
