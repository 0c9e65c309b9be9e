// log over vectors, in at most 4 ulp wherever argument and result are normal numbers.
//
// x = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); with s = f / (2 + f),
// log(1 + f) = 2 s + s R(s^2) = f - (f^2 / 2 - s (f^2 / 2 + R)), R(z) = z p(z). p is the minimax
// polynomial of (2 atanh(s) / s - 2) / s^2 for the error relative to log (8e-10 in float, 1.2e-18
// in double: tools/fit_polynomials.py).

template <class T>
struct LogConstants;

template <>
struct LogConstants<float> {
  static constexpr int kNotMantissa = 9;  // bits of sign and exponent
  static constexpr float kIntegerMagic =
      8388608.0f;  // 2^23: its bits or'ed with an integer's are 2^23 + integer
  static constexpr float kBias = 127.0f;
  static constexpr float kSmallest = 1.17549435e-38f;
  static constexpr float kSqrt2 = 1.41421356f;
  static constexpr int kTerms = 3;
  static constexpr float kP[kTerms] = {0.66666776085012616f, 0.39977574042593056f,
                                       0.29870937044737611f};
};

template <>
struct LogConstants<double> {
  static constexpr int kNotMantissa = 12;
  static constexpr double kIntegerMagic = 4503599627370496.0;
  static constexpr double kBias = 1023.0;
  static constexpr double kSmallest = 2.2250738585072014e-308;
  static constexpr double kSqrt2 = 1.4142135623730951;
  static constexpr int kTerms = 7;
  static constexpr double kP[kTerms] = {0.66666666666667341556, 0.39999999999416363364,
                                        0.28571428742017872808, 0.22222198610537216719,
                                        0.18183562417335359943, 0.15314098545127903682,
                                        0.14795477840145578941};
};

// k ln 2 + log(1 + f) for integral k
template <class T>
LF_INLINE Vec<T> log_reduced(Vec<T> f, Vec<T> k) {
  using K = LogConstants<T>;
  using M = MathConstants<T>;
  const Vec<T> s = f / (f + Vec<T>::set(T(2)));
  const Vec<T> z = s * s;
  Vec<T> p = Vec<T>::set(K::kP[K::kTerms - 1]);
  for (int i = K::kTerms - 2; i >= 0; --i) p = fma(p, z, Vec<T>::set(K::kP[i]));
  const Vec<T> half_square = Vec<T>::set(T(0.5)) * f * f;
  const Vec<T> low = fma(s, fma(z, p, half_square), k * Vec<T>::set(M::kLn2Lo));
  return fma(k, Vec<T>::set(M::kLn2Hi), f - (half_square - low));  // k * kLn2Hi is exact
}

// -infinity at 0 (and for denormals), NaN below 0.
template <class T>
LF_INLINE Vec<T> log(Vec<T> x) {
  using K = LogConstants<T>;
  const Vec<T> one = Vec<T>::set(T(1));
  const Vec<T> magic = Vec<T>::set(K::kIntegerMagic);
  const Vec<T> exponent = bit_or(shift_right(x, MathConstants<T>::kMantissa), magic) - magic;
  const Vec<T> m = bit_or(shift_right(shift_left(x, K::kNotMantissa), K::kNotMantissa), one);
  const Vec<T> k = exponent - Vec<T>::set(K::kBias);
  const auto large = less(Vec<T>::set(K::kSqrt2), m);
  const Vec<T> f = select(large, m * Vec<T>::set(T(0.5)), m) - one;
  const Vec<T> y = log_reduced(f, select(large, k + one, k));
  const Vec<T> infinity = Vec<T>::set(T(__builtin_inf()));
  const Vec<T> not_positive =
      select(less(x, Vec<T>::zero()), Vec<T>::set(T(__builtin_nan(""))), Vec<T>::zero() - infinity);
  const Vec<T> finite = select(less(x, Vec<T>::set(K::kSmallest)), not_positive, y);
  return select(less(x, infinity), finite, x);
}
