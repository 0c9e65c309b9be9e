// Categorical cross-entropy, a row at a time: from probabilities, and from logits with softmax
// built in. Targets are rows t, smoothed to t (1 - s) + s / columns, or labels, which stand for a
// row with a single 1. Parameters: s.

template <class T>
struct SmoothTarget {
  Vec<T> keep, add;
  LF_INLINE explicit SmoothTarget(const LossRows<T>& a)
      : keep(Vec<T>::set(T(1) - a.parameters[0])),
        add(Vec<T>::set(a.parameters[0] / T(a.columns))) {}
  LF_INLINE Vec<T> operator()(Vec<T> t) const { return fma(t, keep, add); }
};

// The column of a label; 0 where it is no column. Labels were checked, but another thread may write
// to the caller's memory at any moment: so the label is read once and checked again, and no value
// leads outside of the row.
template <class T>
LF_INLINE index label_column(const LossRows<T>& a, const T* t) {
  const T label = *static_cast<const volatile T*>(t);
  return label >= T(0) && label < T(a.columns) ? index(label) : 0;
}

// With P = sum of p, q = p / P limited to epsilon .. 1 - epsilon: loss = -sum of t log q.
// d loss / d p_j = (g_j - sum of g p / P) / P with g = -t / q, and 0 where the limit holds.
template <class T>
LF_INLINE double probability_row(const LossRows<T>& a, const T* p, const T* t, T row_scale,
                                 T* gradient) {
  const Vec<T> zero = Vec<T>::zero();
  const Vec<T> low = Vec<T>::set(T(kProbabilityEpsilon)),
               high = Vec<T>::set(T(1 - kProbabilityEpsilon));
  const SmoothTarget<T> smooth(a);
  Total<T> p_total, loss, flow;
  for_vectors<T>(a.columns, [&](index j, auto part) { p_total.add(part.load(p + j)); });
  const Vec<T> sum = Vec<T>::set(T(p_total.result()));
  const auto limited = [&](Vec<T> q) { return max(low, min(high, q)); };
  const auto slope = [&](Vec<T> q, Vec<T> target) {
    return select(less(q, low), zero, select(less(high, q), zero, zero - target / q));
  };
  if (a.labels) {
    const index label = label_column(a, t);
    const Vec<T> q = Vec<T>::set(p[label]) / sum;
    const Vec<T> g = slope(q, Vec<T>::set(T(1)));
    if (gradient) {
      const T others = first_lane((zero - g * q) / sum) * row_scale;
      for_vectors<T>(a.columns,
                     [&](index j, auto part) { part.store(Vec<T>::set(others), gradient + j); });
      gradient[label] = first_lane((g - g * q) / sum) * row_scale;
    }
    return -double(first_lane(log(limited(q))));
  }
  for_vectors<T>(a.columns, [&](index j, auto part) {
    const Vec<T> q = part.load(p + j) / sum;
    const Vec<T> target = smooth(part.load(t + j));
    loss.add(part.keep(target * log(limited(q)), zero));
    flow.add(part.keep(slope(q, target) * q, zero));
  });
  if (gradient) {
    const Vec<T> mean_flow = Vec<T>::set(T(flow.result())), scale = Vec<T>::set(row_scale);
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> g = slope(part.load(p + j) / sum, smooth(part.load(t + j)));
      part.store((g - mean_flow) / sum * scale, gradient + j);
    });
  }
  return -loss.result();
}

template <class T>
void categorical_crossentropy(const LossRows<T>& a) {
  row_losses(a, [&](const T* p, const T* t, T scale, T* gradient, T*) {
    return probability_row(a, p, t, scale, gradient);
  });
}

// With e = exp(x - max x), E = sum of e, p = e / E: loss = sum of t (log E - (x - max x)), and the
// slope for x is p (sum of t) - t. Probabilities have the bits that the softmax kernel gives.
template <class T>
LF_INLINE double logit_row(const LossRows<T>& a, const T* x, const T* t, T row_scale, T* gradient,
                           T* output) {
  const Vec<T> zero = Vec<T>::zero();
  const SmoothTarget<T> smooth(a);
  const Vec<T> m = Vec<T>::set(row_max(a.columns, x));
  const index label = a.labels ? label_column(a, t) : 0;
  const Vec<T> at_label =
      Vec<T>::set(x[label]) - m;  // read before output, which may be x, is written
  T* kept = gradient ? gradient : output;
  Total<T> e_total, t_total, flow;
  for_vectors<T>(a.columns, [&](index j, auto part) {
    const Vec<T> d = part.load(x + j) - m, e = exp(d);
    e_total.add(part.keep(e, zero));
    if (!a.labels) {
      const Vec<T> target = smooth(part.load(t + j));
      t_total.add(part.keep(target, zero));
      // a target of 0 has no part in the loss, even where a logit is -infinity
      flow.add(part.keep(select(less(zero, abs(target)), target * d, zero), zero));
    }
    if (kept) part.store(e, kept + j);
  });
  const Vec<T> sum = Vec<T>::set(T(e_total.result()));
  const Vec<T> scale = Vec<T>::set(row_scale),
               t_sum = Vec<T>::set(a.labels ? T(1) : T(t_total.result()));
  if (kept) {
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> p = part.load(kept + j) / sum;
      if (output) part.store(p, output + j);
      if (gradient) {
        const Vec<T> target = a.labels ? zero : smooth(part.load(t + j));
        part.store((p * t_sum - target) * scale, gradient + j);
      }
    });
    if (gradient && a.labels) {
      const Vec<T> p = exp(at_label) / sum;
      gradient[label] = first_lane((p - Vec<T>::set(T(1))) * scale);
    }
  }
  const Vec<T> log_sum = log(sum);
  return a.labels ? double(first_lane(log_sum - at_label))
                  : double(first_lane(t_sum)) * double(first_lane(log_sum)) - flow.result();
}

template <class T>
void softmax_crossentropy(const LossRows<T>& a) {
  row_losses(a, [&](const T* x, const T* t, T scale, T* gradient, T* output) {
    return logit_row(a, x, t, scale, gradient, output);
  });
}
