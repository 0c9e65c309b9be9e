// Negative logarithms of densities, with all their constants. Scales are limited from below; no
// slope where the limit holds.

constexpr double kLeastScale = 1e-6, kHalfLog2Pi = 0.91893853320467274178;

// Rows [means | spreads] of two columns a target: log s + (d / s)^2 / 2 + log(2 pi) / 2. Parameter:
// the Spread.
template <class T>
void gaussian_likelihood(const LossRows<T>& a) {
  const Spread spread = Spread(int(a.parameters[0]));
  const index targets = a.columns / 2;
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1)), half = Vec<T>::set(T(0.5));
  const Vec<T> least = Vec<T>::set(T(kLeastScale)), constant = Vec<T>::set(T(kHalfLog2Pi));
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    Total<T> total;
    const Vec<T> each = Vec<T>::set(scale);
    for_vectors<T>(targets, [&](index j, auto part) {
      const Vec<T> d = part.load(p + j) - part.load(t + j), s = part.load(p + targets + j);
      const Vec<T> limited = max(least, s);
      // log of the deviation, 1 / variance, and d of that log / d s
      Vec<T> log_scale, inverse, rate;
      if (spread == Spread::deviation) {
        rate = one / limited;
        log_scale = log(limited), inverse = rate * rate;
      } else if (spread == Spread::variance) {
        inverse = one / limited;
        log_scale = half * log(limited), rate = half * inverse;
      } else {
        log_scale = half * s, inverse = exp(zero - s), rate = half;
      }
      const Vec<T> square = d * d * inverse;
      total.add(part.keep(fma(half, square, log_scale) + constant, zero));
      if (!gradient) return;
      part.store(d * inverse * each, gradient + j);
      const Vec<T> slope = (one - square) * rate * each;
      const bool may_be_limited = spread != Spread::log_variance;
      part.store(may_be_limited ? select(less(s, least), zero, slope) : slope,
                 gradient + targets + j);
    });
    return total.result();
  });
}

// log of a sum of exponentials, term by term.
template <class T>
struct LogSum {
  T greatest = -T(__builtin_inf()), sum = 0;
  static LF_INLINE T power(T x) { return first_lane(exp(Vec<T>::set(x))); }
  LF_INLINE void add(T x) {
    if (x == -T(__builtin_inf())) return;
    if (greatest < x) {
      sum = sum * power(greatest - x) + T(1);
      greatest = x;
    } else {
      sum += power(x - greatest);
    }
  }
  LF_INLINE T result() const { return greatest + first_lane(log(Vec<T>::set(sum))); }
};

// Rows of a mixture of K Gaussians without correlations, of D dimensions: [K logits | K x D means |
// K x D deviations]; K is the parameter. The loss is -log sum of w N(t; m, s), w = softmax(logits).
// With r the share of a component in that sum, the slopes are w - r, r d / s^2 and
// r (1 - (d / s)^2) / s.
template <class T>
struct Mixture {
  index components, dimensions;
  LF_INLINE explicit Mixture(const LossRows<T>& a)
      : components(index(a.parameters[0])), dimensions((a.columns / components - 1) / 2) {}
  LF_INLINE index mean(index k) const { return components + k * dimensions; }
  LF_INLINE index deviation(index k) const { return mean(components + k); }

  // log of logit and density of a component, without constants
  LF_INLINE T log_share(const T* p, const T* t, index k) const {
    const Vec<T> half = Vec<T>::set(T(0.5)), zero = Vec<T>::zero();
    Total<T> total;
    for_vectors<T>(dimensions, [&](index j, auto part) {
      const Vec<T> s = max(Vec<T>::set(T(kLeastScale)), part.load(p + deviation(k) + j));
      const Vec<T> z = (part.load(p + mean(k) + j) - part.load(t + j)) / s;
      total.add(part.keep(fma(half * z, z, log(s)), zero));
    });
    return p[k] - T(total.result());
  }

  LF_INLINE double row(const T* p, const T* t, T scale, T* gradient) const {
    LogSum<T> weights, shares;
    for (index k = 0; k < components; ++k) {
      weights.add(p[k]);
      shares.add(log_share(p, t, k));
    }
    const T of_weights = weights.result(), of_shares = shares.result();
    for (index k = 0; gradient && k < components; ++k) {
      const T share = LogSum<T>::power(log_share(p, t, k) - of_shares);
      gradient[k] = (LogSum<T>::power(p[k] - of_weights) - share) * scale;
      slopes(p, t, k, share * scale, gradient);
    }
    return double(of_weights) - double(of_shares) + kHalfLog2Pi * double(dimensions);
  }

  LF_INLINE void slopes(const T* p, const T* t, index k, T share, T* gradient) const {
    const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1)), r = Vec<T>::set(share);
    const Vec<T> least = Vec<T>::set(T(kLeastScale));
    for_vectors<T>(dimensions, [&](index j, auto part) {
      const Vec<T> given = part.load(p + deviation(k) + j), s = max(least, given);
      const Vec<T> z = (part.load(p + mean(k) + j) - part.load(t + j)) / s;
      part.store(r * z / s, gradient + mean(k) + j);
      part.store(select(less(given, least), zero, r * fnma(z, z, one) / s),
                 gradient + deviation(k) + j);
    });
  }
};

template <class T>
void mixture_likelihood(const LossRows<T>& a) {
  const Mixture<T> mixture(a);
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    return mixture.row(p, t, scale, gradient);
  });
}
