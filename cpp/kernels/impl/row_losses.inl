// Losses that are computed a row at a time. Letters as in element_losses.inl.

// f(p, t, scale, gradient, output) returns the loss of a row; the total is weighted by the rows'
// weights.
template <class T, class F>
LF_INLINE void row_losses(const LossRows<T>& a, F f) {
  double total = 0;
  for (index r = 0; r < a.rows; ++r) {
    const T weight = a.weights ? a.weights[r] : T(1);
    T* gradient = a.gradient ? a.gradient + r * a.gradient_stride : nullptr;
    const bool counts = weight != T(0);
    const double loss =
        f(a.prediction + r * a.prediction_stride, a.target + r * a.target_stride, a.scale * weight,
          counts ? gradient : nullptr, a.output ? a.output + r * a.output_stride : nullptr);
    if (counts) {
      total += double(weight) * loss;
    } else if (gradient) {
      for_vectors<T>(a.columns,
                     [&](index j, auto part) { part.store(Vec<T>::zero(), gradient + j); });
    }
  }
  *a.total = total;
}

// The greatest element of wrong columns, (1 - t) p, less that of right ones, sum of t p: 1 + their
// difference above 0, else 0. The first greatest has the slope.
template <class T>
LF_INLINE double categorical_hinge_row(const LossRows<T>& a, const T* p, const T* t, T scale,
                                       T* gradient) {
  const Vec<T> zero = Vec<T>::zero();
  Total<T> right;
  for_vectors<T>(a.columns, [&](index j, auto part) {
    right.add(part.keep(part.load(p + j) * part.load(t + j), zero));
  });
  index greatest = 0;
  T wrong = (T(1) - t[0]) * p[0];
  for (index j = 1; j < a.columns; ++j) {
    const T other = (T(1) - t[j]) * p[j];
    if (wrong < other) wrong = other, greatest = j;
  }
  const double margin = 1 + double(wrong) - right.result();
  const bool counts = !(margin <= 0);  // NaN does
  if (gradient) {
    const Vec<T> each = Vec<T>::set(counts ? scale : T(0));
    for_vectors<T>(a.columns, [&](index j, auto part) {
      part.store((zero - part.load(t + j)) * each, gradient + j);
    });
    if (counts) gradient[greatest] += (T(1) - t[greatest]) * scale;
  }
  return counts ? margin : 0;
}

template <class T>
void categorical_hinge(const LossRows<T>& a) {
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    return categorical_hinge_row(a, p, t, scale, gradient);
  });
}

// -sum of (p / |p|) (t / |t|), the lengths limited from below. With u = p / |p|, the slope is
// (u (u t) - t) / (|p| |t|), without its first part where |p| is limited.
template <class T>
LF_INLINE double cosine_row(const LossRows<T>& a, const T* p, const T* t, T scale, T* gradient) {
  const Vec<T> zero = Vec<T>::zero();
  Total<T> products, of_p, of_t;
  for_vectors<T>(a.columns, [&](index j, auto part) {
    const Vec<T> x = part.load(p + j), y = part.load(t + j);
    products.add(part.keep(x * y, zero));
    of_p.add(part.keep(x * x, zero));
    of_t.add(part.keep(y * y, zero));
  });
  const auto length = [](double squares) {
    const double root = __builtin_sqrt(squares);
    return root < kProbabilityEpsilon ? kProbabilityEpsilon : root;
  };
  const double p_squares = of_p.result(), p_length = length(p_squares);
  const double lengths = p_length * length(of_t.result()), loss = -products.result() / lengths;
  if (gradient) {
    const bool limited = p_squares < kProbabilityEpsilon * kProbabilityEpsilon;
    const Vec<T> along = Vec<T>::set(limited ? T(0) : T(-loss / (p_length * p_length)));
    const Vec<T> of_target = Vec<T>::set(T(1 / lengths)), each = Vec<T>::set(scale);
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> slope = fnma(of_target, part.load(t + j), along * part.load(p + j));
      part.store(slope * each, gradient + j);
    });
  }
  return loss;
}

template <class T>
void cosine_similarity(const LossRows<T>& a) {
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    return cosine_row(a, p, t, scale, gradient);
  });
}

// Pinball loss. Parameters: how many quantiles q there are, then these. Columns q i, q i + 1, ...
// of a prediction are the quantiles of target i: with d = t - p, q d where d is positive, (q - 1) d
// where it is negative.
template <class T>
void quantile_error(const LossRows<T>& a) {
  const index quantiles = index(a.parameters[0]);
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    Total<T> total;
    for (index i = 0; i < a.columns; i += quantiles) {
      const Vec<T> target = Vec<T>::set(t[i / quantiles]), each = Vec<T>::set(scale);
      for_vectors<T>(quantiles, [&](index j, auto part) {
        const Vec<T> q = part.load(a.parameters + 1 + j), d = target - part.load(p + i + j);
        const Vec<T> below = one - q;
        const Vec<T> slope = select(less(zero, d), zero - q, select(less(d, zero), below, d));
        total.add(part.keep(max(q * d, (zero - below) * d), zero));
        if (gradient) part.store(slope * each, gradient + i + j);
      });
    }
    return total.result();
  });
}
