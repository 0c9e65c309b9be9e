// The activations that take more than a line: softplus, silu, mish, gelu in both forms, squareplus,
// with the slopes that do not follow from their values. Tails keep their relative accuracy;
// infinities give limits. Coefficients: tools/fit_polynomials.py.

// log(1 + e) for 0 <= e <= 1: 2 atanh(s), s = e / (2 + e), as a polynomial in s^2 (relative error
// 4e-10 in float, 1.4e-19 in double).
LF_INLINE F32 log1p_unit(F32 e) {
  constexpr float kC[] = {0.3333333432674408f, 0.19999852776527405f, 0.14296196401119232f,
                          0.10853000730276108f, 0.11613646149635315f};
  const F32 s = e / (e + F32::set(2.0f)), u = s * s;
  F32 p = F32::set(kC[4]);
  for (int i = 3; i >= 0; --i) p = fma(p, u, F32::set(kC[i]));
  return fma(s * u, p, s) * F32::set(2.0f);
}
LF_INLINE F64 log1p_unit(F64 e) {
  constexpr double kC[] = {0.3333333333333333,  0.1999999999999976,   0.14285714285800463,
                           0.1111111109906666,  0.09090909952248838,  0.07692271864527644,
                           0.06667591893310038, 0.058671048001648705, 0.05422870944221726,
                           0.03744810631716892, 0.07817681502643507};
  const F64 s = e / (e + F64::set(2.0)), u = s * s;
  F64 p = F64::set(kC[10]);
  for (int i = 9; i >= 0; --i) p = fma(p, u, F64::set(kC[i]));
  return fma(s * u, p, s) * F64::set(2.0);
}

// log(1 + e^x)
template <class T>
LF_INLINE Vec<T> softplus(Vec<T> x) {
  return max(Vec<T>::zero(), x) + log1p_unit(exp(Vec<T>::zero() - abs(x)));
}

template <class T>
LF_INLINE Vec<T> clamp(Vec<T> x, T low, T high) {
  return max(Vec<T>::set(low), min(Vec<T>::set(high), x));
}

// x sigmoid(u) where sigmoid(u) is 0 long before x reaches `lowest`: no 0 * infinity.
template <class T>
LF_INLINE Vec<T> gated(Vec<T> x, Vec<T> u, T lowest) {
  return max(Vec<T>::set(lowest), x) * sigmoid(u);
}

// d (x sigmoid(u(x))) / dx = s + x s (1 - s) u', with s (1 - s) from e^-|u|, where nothing cancels.
template <class T>
LF_INLINE Vec<T> gated_slope(Vec<T> x, Vec<T> u, Vec<T> du) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> e = exp(zero - abs(u)), larger = one / (one + e), smaller = e * larger;
  return fma(x * du, larger * smaller, select(less(u, zero), smaller, larger));
}

template <class T>
LF_INLINE Vec<T> silu(Vec<T> x) {
  return gated(x, x, -MathConstants<T>::kExpLimit);
}

template <class T>
LF_INLINE Vec<T> silu_slope(Vec<T> x) {
  using K = MathConstants<T>;
  x = clamp(x, -K::kExpLimit, K::kExpLimit);
  return gated_slope(x, x, Vec<T>::set(T(1)));
}

// gelu_tanh(x) = x (1 + tanh(u / 2)) / 2 = x sigmoid(u), u = 2 sqrt(2 / pi) (x + 0.044715 x^3).
// From kFar on, the sigmoid is 0 or 1.
template <class T>
struct GeluTanh {
  static constexpr double kSlope = 1.5957691216057308, kCubic = 0.044715;
  static constexpr T kFar = T(32);
  Vec<T> x, square;
  explicit LF_INLINE GeluTanh(Vec<T> v) : x(clamp(v, -kFar, kFar)), square(x * x) {}
  LF_INLINE Vec<T> u() const {
    return x * fma(Vec<T>::set(T(kSlope * kCubic)), square, Vec<T>::set(T(kSlope)));
  }
  LF_INLINE Vec<T> du() const {
    return fma(Vec<T>::set(T(3 * kSlope * kCubic)), square, Vec<T>::set(T(kSlope)));
  }
};

template <class T>
LF_INLINE Vec<T> gelu_tanh(Vec<T> x) {
  return gated(x, GeluTanh<T>(x).u(), -GeluTanh<T>::kFar);
}

template <class T>
LF_INLINE Vec<T> gelu_tanh_slope(Vec<T> x) {
  const GeluTanh<T> g(x);
  return gated_slope(g.x, g.u(), g.du());
}

// mish(x) = x tanh(log(1 + e)) = x n / (n + 2) with e = e^x, n = e (e + 2): no log, no
// cancellation. The slope is n / (n + 2) + x 4 e (1 + e) / (n + 2)^2.
template <class T>
struct Mish {
  Vec<T> x, e, n, d;
  explicit LF_INLINE Mish(Vec<T> v)
      : x(clamp(v, -MathConstants<T>::kExpLimit, 2 * MathConstants<T>::kTanhLimit)),
        e(exp(x)),
        n(e * (e + Vec<T>::set(T(2)))),
        d(n + Vec<T>::set(T(2))) {}
};

template <class T>
LF_INLINE Vec<T> mish(Vec<T> x) {
  const Mish<T> m(x);
  return max(Vec<T>::set(-MathConstants<T>::kExpLimit), x) * (m.n / m.d);
}

template <class T>
LF_INLINE Vec<T> mish_slope(Vec<T> x) {
  const Mish<T> m(x);
  const Vec<T> four_e = Vec<T>::set(T(4)) * m.e;
  return fma(m.x, fma(four_e, m.e, four_e) / m.d / m.d, m.n / m.d);
}

// The normal distribution's left tail for a >= 0: Phi(-a) = e^(-a^2/2) R(a), and
// R(a) = p(t) / (a + k), t = (a - k) / (a + k); p interpolates at Chebyshev nodes (relative error
// 1.2e-9 in float, 1.2e-17 in double) up to kFar, where e^(-a^2/2) is 0.
template <class T>
struct TailConstants;

template <>
struct TailConstants<float> {
  static constexpr float kFar = 15.0f, kK = 3.0f;
  static constexpr float kSteps = 256.0f;  // a rounded to 1 / kSteps has an exact square
  static constexpr int kTerms = 11;
  static constexpr float kP[kTerms] = {
      0.7290837168693542f,     -0.509332001209259f,     0.23001767694950104f,
      -0.0472627617418766f,    -0.010462288744747639f,  0.006969920359551907f,
      0.0010241572745144367f,  -0.0010344765614718199f, -0.0002447093138471246f,
      0.00013332394883036613f, 5.549187335418537e-05f};
};

template <>
struct TailConstants<double> {
  static constexpr double kFar = 39.0, kK = 5.0;
  static constexpr double kSteps = 1048576.0;
  static constexpr int kTerms = 23;
  static constexpr double kP[kTerms] = {
      0.769193049750063,      -0.6653825028900567,    0.4953056159699764,
      -0.31353315667130455,   0.1650203661703847,     -0.06911863870631016,
      0.020795066799883178,   -0.0029933767705085422, -0.0007978693984660701,
      0.0005448990647731298,  -5.937572800991586e-05, -4.97628142705858e-05,
      1.6681213742042063e-05, 3.9809021578680414e-06, -2.76926709599743e-06,
      -3.366153681012471e-07, 4.331410356862585e-07,  4.2274993740065346e-08,
      -6.594221662477223e-08, -9.31356099432606e-09,  7.66307180076004e-09,
      1.753048401408232e-09,  -1.5877468827473365e-10};
};

template <class T>
struct NormalTail {
  Vec<T> a, r, e;  // |x|, R(a), e^(-a^2/2)
  explicit LF_INLINE NormalTail(Vec<T> x) : a(min(Vec<T>::set(TailConstants<T>::kFar), abs(x))) {
    using C = TailConstants<T>;
    using K = MathConstants<T>;
    const Vec<T> d = Vec<T>::set(T(1)) / (a + Vec<T>::set(C::kK));
    const Vec<T> t = (a - Vec<T>::set(C::kK)) * d;
    Vec<T> p = Vec<T>::set(C::kP[C::kTerms - 1]);
    for (int i = C::kTerms - 2; i >= 0; --i) p = fma(p, t, Vec<T>::set(C::kP[i]));
    r = p * d;
    // a^2 = near^2 + (a - near) (a + near): the first exact, the second small
    const Vec<T> half = Vec<T>::set(T(-0.5));
    const Vec<T> near = round(a * Vec<T>::set(C::kSteps)) * Vec<T>::set(1 / C::kSteps);
    const Vec<T> high = half * near * near, low = half * (a - near) * (a + near);
    const Vec<T> n = round((high + low) * Vec<T>::set(K::kLog2e));
    const Vec<T> reduced =
        fnma(n, Vec<T>::set(K::kLn2Lo), fnma(n, Vec<T>::set(K::kLn2Hi), high) + low);
    e = scale2(expm1_small(reduced) + Vec<T>::set(T(1)), n);
  }
};

// x Phi(x)
template <class T>
LF_INLINE Vec<T> gelu(Vec<T> x) {
  const NormalTail<T> tail(x);
  const Vec<T> zero = Vec<T>::zero(), w = tail.a * tail.r * tail.e;
  return select(less(x, zero), zero - w, x - w);
}

// Phi(x) + x phi(x)
template <class T>
LF_INLINE Vec<T> gelu_slope(Vec<T> x) {
  const NormalTail<T> tail(x);
  const Vec<T> density = Vec<T>::set(T(0.3989422804014327));  // 1 / sqrt(2 pi)
  const Vec<T> g = fnma(tail.a, density, tail.r) * tail.e;
  return select(less(x, Vec<T>::zero()), g, Vec<T>::set(T(1)) - g);
}

// (x + sqrt(x^2 + b)) / 2, left of 0 as b / 2 / (sqrt(x^2 + b) - x). Far out the root is |x|, where
// x^2 might overflow.
template <class T>
LF_INLINE Vec<T> squareplus(Vec<T> x, Vec<T> b) {
  constexpr T kFar = sizeof(T) == 4 ? T(0x1p62) : T(0x1p510);
  const Vec<T> a = abs(x), half = Vec<T>::set(T(0.5));
  const Vec<T> root = select(less(Vec<T>::set(kFar), a), a, sqrt(fma(x, x, b)));
  return select(less(x, Vec<T>::zero()), half * b / (root + a), fma(half, x, half * root));
}
