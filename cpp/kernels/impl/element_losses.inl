// Losses that are sums over elements, each of the kind of its kernel. Letters: p prediction, t
// target, d = p - t. Where a slope jumps it is 0.

constexpr double kProbabilityEpsilon =
    1e-7;  // Keras's: probabilities are limited to epsilon .. 1 - epsilon, divisors to epsilon

template <class T>
struct LossAt {
  Vec<T> loss, slope;  // slope = d loss / d p
  Vec<T> output;       // the activated prediction, of losses that activate
};

// Sums f(p, t) -> LossAt row by row, even where rows are contiguous, so that the sum's bits do not
// depend on strides.
template <class T, class F>
LF_INLINE void element_loss(const LossRows<T>& a, F f) {
  const Vec<T> zero = Vec<T>::zero();
  Total<T> total;
  for (index r = 0; r < a.rows; ++r) {
    const T* p = a.prediction + r * a.prediction_stride;
    const T* t = a.target + r * a.target_stride;
    T* gradient = a.gradient ? a.gradient + r * a.gradient_stride : nullptr;
    T* output = a.output ? a.output + r * a.output_stride : nullptr;
    const T weight = a.weights ? a.weights[r] : T(1);
    const bool counts = weight != T(0);  // a row of weight 0 adds nothing, not even NaN
    const Vec<T> weights = Vec<T>::set(weight), scale = Vec<T>::set(a.scale * weight);
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const LossAt<T> at = f(part.load(p + j), part.load(t + j));
      if (counts) total.add(part.keep(at.loss * weights, zero));
      if (gradient) part.store(counts ? at.slope * scale : zero, gradient + j);
      if (output) part.store(at.output, output + j);
    });
  }
  *a.total = total.result();
}

// d^2
template <class T>
void mean_squared_error(const LossRows<T>& a) {
  element_loss<T>(a, [](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t;
    return LossAt<T>{d * d, d + d, p};
  });
}

// s where d is positive, -s where it is negative; 0 at 0, NaN at NaN.
template <class T>
LF_INLINE Vec<T> with_sign(Vec<T> s, Vec<T> d) {
  const Vec<T> zero = Vec<T>::zero();
  return select(less(zero, d), s, select(less(d, zero), zero - s, d));
}

// |d|
template <class T>
void mean_absolute_error(const LossRows<T>& a) {
  const Vec<T> one = Vec<T>::set(T(1));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t;
    return LossAt<T>{abs(d), with_sign(one, d), p};
  });
}

// 100 |d| / |t|, the divisor limited
template <class T>
void mean_absolute_percentage_error(const LossRows<T>& a) {
  const Vec<T> least = Vec<T>::set(T(kProbabilityEpsilon)), percent = Vec<T>::set(T(100));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t, scale = percent / max(least, abs(t));
    return LossAt<T>{scale * abs(d), with_sign(scale, d), p};
  });
}

// (log(1 + p) - log(1 + t))^2, p and t limited from below
template <class T>
void mean_squared_logarithmic_error(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> least = Vec<T>::set(T(kProbabilityEpsilon));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> q = max(least, p) + one;
    const Vec<T> d = log(q) - log(max(least, t) + one);
    return LossAt<T>{d * d, select(less(p, least), zero, (d + d) / q), p};
  });
}

// log cosh d; the slope is tanh d. With a = |d| and e = expm1(-a): log(1 + e^2 / (2 (1 + e))) for a
// below 1, where nothing cancels; elsewhere a - log 2 + log(1 + e^-2a).
template <class T>
void log_cosh(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1)), half = Vec<T>::set(T(0.5));
  const Vec<T> log_2 = Vec<T>::set(T(0.69314718055994530942));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t, size = abs(d);
    const Vec<T> e = expm1(zero - size), power = one + e;
    const auto near = less(size, one);
    const Vec<T> log = log1p_unit(select(near, half * e * e / power, power * power));
    return LossAt<T>{log + select(near, zero, size - log_2), tanh(d), p};
  });
}

// p - t log(p + epsilon)
template <class T>
void poisson(const LossRows<T>& a) {
  const Vec<T> one = Vec<T>::set(T(1)), least = Vec<T>::set(T(kProbabilityEpsilon));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> q = p + least;
    return LossAt<T>{fnma(t, log(q), p), one - t / q, p};
  });
}

// f(m, s) -> LossAt of the margin m = 1 - s p above 0, else 0, with the sign s = t; labels of 0
// count as -1.
template <class T, class F>
LF_INLINE void margin_loss(const LossRows<T>& a, F f) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> nearly_zero = Vec<T>::set(T(__FLT_MIN__));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> s = select(less(abs(t), nearly_zero), zero - one, t);
    LossAt<T> at = f(max(zero, fnma(s, p, one)), s);
    at.output = p;
    return at;
  });
}

template <class T>
void hinge(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero();
  margin_loss<T>(a, [&](Vec<T> m, Vec<T> s) {
    return LossAt<T>{m, select(less(zero, m), zero - s, zero), m};
  });
}

template <class T>
void squared_hinge(const LossRows<T>& a) {
  margin_loss<T>(
      a, [&](Vec<T> m, Vec<T> s) { return LossAt<T>{m * m, Vec<T>::set(T(-2)) * m * s, m}; });
}

// t log(t / q), t and q = p limited to epsilon .. 1
template <class T>
void kl_divergence(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> least = Vec<T>::set(T(kProbabilityEpsilon));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> target) {
    const Vec<T> t = max(least, min(one, target)), q = max(least, min(one, p));
    const Vec<T> slope = zero - t / q;
    return LossAt<T>{t * log(t / q),
                     select(less(p, least), zero, select(less(one, p), zero, slope)), p};
  });
}

// d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 elsewhere; parameters: delta. With q = d
// limited to -delta .. delta both are q (d - q / 2), and the slope is q.
template <class T>
void huber_error(const LossRows<T>& a) {
  const Vec<T> delta = Vec<T>::set(a.parameters[0]), half = Vec<T>::set(T(0.5));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t;
    const Vec<T> q = max(Vec<T>::zero() - delta, min(delta, d));
    return LossAt<T>{q * fnma(half, q, d), q, p};
  });
}

// -(t log q + (1 - t) log(1 - q)), q = p limited; no slope where the limit holds. t is smoothed
// towards 1/2; parameters: by how much.
template <class T>
void binary_crossentropy(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> low = Vec<T>::set(T(kProbabilityEpsilon)),
               high = Vec<T>::set(T(1 - kProbabilityEpsilon));
  const Vec<T> keep = Vec<T>::set(T(1) - a.parameters[0]), add = Vec<T>::set(a.parameters[0] / 2);
  element_loss<T>(a, [&](Vec<T> p, Vec<T> target) {
    const Vec<T> t = fma(target, keep, add);
    const Vec<T> q = max(low, min(high, p)), rest = one - q;
    const Vec<T> loss = zero - fma(t, log(q), (one - t) * log(rest));
    const Vec<T> slope = (q - t) / (q * rest);
    return LossAt<T>{loss, select(less(p, low), zero, select(less(high, p), zero, slope)), p};
  });
}

// The same from x with p = sigmoid(x): max(x, 0) - x t + log(1 + e^-|x|), and the slope for x is p
// - t.
template <class T>
void sigmoid_crossentropy(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero();
  const Vec<T> keep = Vec<T>::set(T(1) - a.parameters[0]), add = Vec<T>::set(a.parameters[0] / 2);
  element_loss<T>(a, [&](Vec<T> x, Vec<T> target) {
    const Vec<T> t = fma(target, keep, add);
    const Vec<T> p = sigmoid(x);
    const Vec<T> loss = fnma(x, t, max(zero, x)) + log1p_unit(exp(zero - abs(x)));
    return LossAt<T>{loss, p - t, p};
  });
}
