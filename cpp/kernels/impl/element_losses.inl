// Losses that are sums over elements. Letters: p prediction, t target, d = p - t.

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

// |d|; the slope at 0 is 0
template <class T>
void mean_absolute_error(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t;
    return LossAt<T>{abs(d), select(less(zero, d), one, select(less(d, zero), zero - one, d)), p};
  });
}

// d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 elsewhere. With q = d limited to -delta ..
// delta both are q (d - q / 2), and the slope is q.
template <class T>
void huber_error(const LossRows<T>& a) {
  const Vec<T> delta = Vec<T>::set(a.parameter), half = Vec<T>::set(T(0.5));
  element_loss<T>(a, [&](Vec<T> p, Vec<T> t) {
    const Vec<T> d = p - t;
    const Vec<T> q = max(Vec<T>::zero() - delta, min(delta, d));
    return LossAt<T>{q * fnma(half, q, d), q, p};
  });
}

constexpr double kProbabilityEpsilon =
    1e-7;  // Keras's: probabilities are limited to epsilon .. 1 - epsilon

// -(t log q + (1 - t) log(1 - q)), q = p limited; no slope where the limit holds. t is smoothed
// towards 1/2.
template <class T>
void binary_crossentropy(const LossRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> low = Vec<T>::set(T(kProbabilityEpsilon)),
               high = Vec<T>::set(T(1 - kProbabilityEpsilon));
  const Vec<T> keep = Vec<T>::set(T(1) - a.parameter), add = Vec<T>::set(a.parameter / 2);
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
  const Vec<T> keep = Vec<T>::set(T(1) - a.parameter), add = Vec<T>::set(a.parameter / 2);
  element_loss<T>(a, [&](Vec<T> x, Vec<T> target) {
    const Vec<T> t = fma(target, keep, add);
    const Vec<T> p = sigmoid(x);
    const Vec<T> loss = fnma(x, t, max(zero, x)) + log1p_unit(exp(zero - abs(x)));
    return LossAt<T>{loss, p - t, p};
  });
}
