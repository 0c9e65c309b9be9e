// Activations by name, over vectors: values, and slopes expressed in the value wherever it tells
// them, so that backward keeps one number (see needs_input).

// log(1 + e) for 0 <= e <= 1: 2 atanh(s), s = e / (2 + e), as a polynomial in s^2 (relative error
// 1e-9, 2e-18).
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

// alpha and beta of an activation.
template <class T>
struct Parameters {
  Vec<T> alpha, beta;
  explicit LF_INLINE Parameters(const ActivationSpec& a)
      : alpha(Vec<T>::set(T(a.alpha))), beta(Vec<T>::set(T(a.beta))) {}
};

// With a constant kind the switch is gone. NaN stays NaN: min and max hand on their second operand.
template <class T>
LF_INLINE Vec<T> value(Activation kind, const Parameters<T>& p, Vec<T> x) {
  using V = Vec<T>;
  const V zero = V::zero(), one = V::set(T(1));
  switch (kind) {
    case Activation::tanh:
      return tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::relu:
      return max(zero, x);
    case Activation::hard_sigmoid:
      return max(zero, min(one, fma(x, p.alpha, p.beta)));
    case Activation::leaky_relu:
      return select(less(x, zero), x * p.alpha, x);
    case Activation::elu:
      return select(less(x, zero), p.alpha * expm1(x), x);
    case Activation::softplus:
      return max(zero, x) + log1p_unit(exp(zero - abs(x)));
    case Activation::softsign:
      return x / (one + abs(x));
    case Activation::exponential:
      return exp(x);
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return x;
}

// d value / dx, from x where needs_input, else from the value.
template <class T>
LF_INLINE Vec<T> slope(Activation kind, const Parameters<T>& p, Vec<T> kept) {
  using V = Vec<T>;
  const V zero = V::zero(), one = V::set(T(1)), y = kept;
  switch (kind) {
    case Activation::tanh:
      return fnma(y, y, one);
    case Activation::sigmoid:
      return y * (one - y);
    case Activation::relu:
      return select(less(zero, y), one, zero);
    case Activation::hard_sigmoid:
      return select(less(zero, y), select(less(y, one), p.alpha, zero), zero);
    case Activation::leaky_relu:  // a negative alpha gives up the sign: then this is x
      return select(less(zero, y), one, p.alpha);
    case Activation::elu:
      return select(less(zero, y), one, y + p.alpha);
    case Activation::softplus:
      return zero - expm1(zero - y);
    case Activation::softsign: {
      const V t = one - abs(y);
      return t * t;
    }
    case Activation::exponential:
      return y;
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return one;
}

// Functions of their own, or every gate of every cell would hold all activations.
template <class T>
LF_NOINLINE Vec<T> any_value(const ActivationSpec& a, Vec<T> x) {
  return value(a.kind, Parameters<T>(a), x);
}
template <class T>
LF_NOINLINE Vec<T> any_slope(const ActivationSpec& a, Vec<T> kept) {
  return slope(a.kind, Parameters<T>(a), kept);
}

// What cells call: the activation of pre-activations z, ...
template <class T>
LF_INLINE Vec<T> activate(const ActivationSpec& a, Vec<T> z) {
  if (a.kind == Activation::sigmoid) return sigmoid(z);
  if (a.kind == Activation::tanh) return tanh(z);
  return any_value(a, z);
}

// ... what a cache keeps of it for backward, where y = activate(a, z), ...
template <class T>
LF_INLINE Vec<T> kept(const ActivationSpec& a, Vec<T> z, Vec<T> y) {
  return needs_input(a) ? z : y;
}

// ... y again, ...
template <class T>
LF_INLINE Vec<T> value_of(const ActivationSpec& a, Vec<T> kept) {
  return needs_input(a) ? activate(a, kept) : kept;
}

// ... and dy / dz.
template <class T>
LF_INLINE Vec<T> slope(const ActivationSpec& a, Vec<T> kept) {
  const Vec<T> one = Vec<T>::set(T(1));
  if (a.kind == Activation::sigmoid) return kept * (one - kept);
  if (a.kind == Activation::tanh) return fnma(kept, kept, one);
  return any_slope(a, kept);
}
