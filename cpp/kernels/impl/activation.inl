// Activations by kind, over vectors: values, and slopes in terms of the value wherever they follow
// from it, so that backward needs one number (see needs_input).

constexpr double kSeluScale = 1.0507009873554804934, kSeluAlpha = 1.6732632423543772848;

// alpha and beta of an activation.
template <class T>
struct Parameters {
  Vec<T> alpha, beta;
  explicit LF_INLINE Parameters(const ActivationSpec& a)
      : alpha(Vec<T>::set(T(a.alpha))), beta(Vec<T>::set(T(a.beta))) {}
};

// With a constant kind the compiler removes the switch. NaN stays NaN: min and max return their
// second operand where it is NaN.
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
      return clamp(fma(x, p.alpha, p.beta), T(0), T(1));
    case Activation::leaky_relu:
      return select(less(x, zero), x * p.alpha, x);
    case Activation::elu:
      return select(less(x, zero), p.alpha * expm1(x), x);
    case Activation::softplus:
      return softplus(x);
    case Activation::softsign: {
      const V t = clamp(x, T(-1e30), T(1e30));  // infinity / infinity is none
      return t / (one + abs(t));
    }
    case Activation::exponential:
      return exp(x);
    case Activation::relu6:
      return clamp(x, T(0), T(6));
    case Activation::selu:
      return select(less(x, zero), V::set(T(kSeluScale * kSeluAlpha)) * expm1(x),
                    V::set(T(kSeluScale)) * x);
    case Activation::celu:
      return select(less(x, zero), p.alpha * expm1(x / p.alpha), x);
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::silu:
      return silu(x);
    case Activation::mish:
      return mish(x);
    case Activation::tanh_shrink:
      return x - tanh(x);
    case Activation::log_sigmoid:
      return zero - softplus(zero - x);
    case Activation::hard_silu:
      return select(less(x, V::set(T(-3))), zero,
                    x * clamp(fma(x, V::set(T(1.0 / 6)), V::set(T(0.5))), T(0), T(1)));
    case Activation::hard_tanh:
      return clamp(x, T(-1), T(1));
    case Activation::hard_shrink:
      return select(less(p.alpha, abs(x)), x, x - x);
    case Activation::soft_shrink: {
      const V sign = bit_and(x, V::set(T(-0.0)));
      return select(less(p.alpha, abs(x)), x - bit_or(p.alpha, sign), x - x);
    }
    case Activation::sparse_plus: {
      const V t = max(zero, x + one);
      return select(less(x, one), V::set(T(0.25)) * t * t, x);
    }
    case Activation::sparse_sigmoid:
      return clamp(fma(x, V::set(T(0.5)), V::set(T(0.5))), T(0), T(1));
    case Activation::squareplus:
      return squareplus(x, p.alpha);
    case Activation::threshold:
    case Activation::thresholded_relu: {  // beta is 0; x - alpha is 0 or NaN where neither is less
      const V other = select(less(x, p.alpha), p.beta, p.beta + (x - p.alpha));
      return select(less(p.alpha, x), x, other);
    }
    case Activation::affine:
      return fma(p.alpha, x, p.beta);
    case Activation::scaled_tanh:
      return p.alpha * tanh(p.beta * x);
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return x;
}

// `slope` where low < y < high, else 0.
template <class T>
LF_INLINE Vec<T> inside(Vec<T> y, T low, T high, Vec<T> slope) {
  const Vec<T> zero = Vec<T>::zero();
  return select(less(Vec<T>::set(low), y), select(less(y, Vec<T>::set(high)), slope, zero), zero);
}

// d value / dx, from x where needs_input, else from the value.
template <class T>
LF_INLINE Vec<T> slope(Activation kind, const Parameters<T>& p, Vec<T> kept) {
  using V = Vec<T>;
  const V zero = V::zero(), one = V::set(T(1)), x = kept, y = kept;
  switch (kind) {
    case Activation::tanh:
      return fnma(y, y, one);
    case Activation::sigmoid:
      return y * (one - y);
    case Activation::relu:
      return select(less(zero, y), one, zero);
    case Activation::hard_sigmoid:
      return inside(y, T(0), T(1), p.alpha);
    case Activation::leaky_relu:
      return select(less(zero, kept), one, p.alpha);
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
    case Activation::relu6:
      return inside(y, T(0), T(6), one);
    case Activation::selu:
      return select(less(zero, y), V::set(T(kSeluScale)), y + V::set(T(kSeluScale * kSeluAlpha)));
    case Activation::celu:
      return select(less(zero, y), one, y / p.alpha + one);
    case Activation::gelu:
      return gelu_slope(x);
    case Activation::gelu_tanh:
      return gelu_tanh_slope(x);
    case Activation::silu:
      return silu_slope(x);
    case Activation::mish:
      return mish_slope(x);
    case Activation::tanh_shrink: {
      const V t = tanh(x);
      return t * t;
    }
    case Activation::log_sigmoid:
      return zero - expm1(y);
    case Activation::hard_silu:
      return select(less(abs(x), V::set(T(3))), fma(x, V::set(T(1.0 / 3)), V::set(T(0.5))),
                    select(less(zero, x), one, zero));
    case Activation::hard_tanh:
      return inside(y, T(-1), T(1), one);
    case Activation::hard_shrink:
    case Activation::soft_shrink:
      return select(less(p.alpha, abs(x)), one, zero);
    case Activation::sparse_plus:
      return min(one, sqrt(y));
    case Activation::sparse_sigmoid:
      return inside(y, T(0), T(1), V::set(T(0.5)));
    case Activation::squareplus:  // y^2 / (y^2 + b / 4)
      return one / (one + p.alpha * V::set(T(0.25)) / (y * y));
    case Activation::threshold:
    case Activation::thresholded_relu:
      return select(less(p.alpha, x), one, zero);
    case Activation::affine:
      return p.alpha;
    case Activation::scaled_tanh: {
      const V t = tanh(p.beta * x);
      return p.alpha * p.beta * fnma(t, t, one);
    }
    case Activation::linear:
    case Activation::softmax:
      break;
  }
  return one;
}
