// Normalisation of rows: z = (x - shift) s; see NormaliseRows.

// f(first element, part) of each vector of a row, summed over its lanes.
template <class T, class F>
LF_INLINE T row_sum(index columns, F f) {
  Total<T> total;
  for_vectors<T>(columns,
                 [&](index j, auto part) { total.add(part.keep(f(j, part), Vec<T>::zero())); });
  return T(total.result());
}

template <class T>
void normalise_rows(const NormaliseRows<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const T count = a.kind == RowNorm::unit ? T(1) : T(a.columns);
  const bool about_mean = a.kind == RowNorm::layer || a.kind == RowNorm::variance;
  for (index r = 0; r < a.rows; ++r) {
    const T* const x = a.x + r * a.columns;
    T* const y = a.y + r * a.columns;
    T mean = 0;
    if (about_mean) {
      mean = row_sum<T>(a.columns, [&](index j, auto part) { return part.load(x + j); }) / count;
    }
    const Vec<T> m = Vec<T>::set(mean);
    const T squares = row_sum<T>(a.columns, [&](index j, auto part) {
      const Vec<T> d = part.load(x + j) - m;
      return d * d;
    });
    T s = squares / count;
    if (a.kind == RowNorm::unit) {
      s = T(1) / first_lane(max(Vec<T>::set(a.epsilon), sqrt(Vec<T>::set(s))));
    } else {
      s = T(1) / first_lane(sqrt(Vec<T>::set(s + a.epsilon)));
    }
    a.stats[2 * r] = mean;
    a.stats[2 * r + 1] = s;
    const Vec<T> factor = Vec<T>::set(s), shift = a.kind == RowNorm::layer ? m : zero;
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> gamma = a.gamma == nullptr ? one : part.load(a.gamma + j);
      const Vec<T> beta = a.beta == nullptr ? zero : part.load(a.beta + j);
      part.store(fma((part.load(x + j) - shift) * factor, gamma, beta), y + j);
    });
  }
}

// With u = gamma dy and h = (x - mean) s: dx = s (u - mean(u) - h mean(u z)). mean(u) only where z
// has the mean of x in it; of `unit` a sum, and 0 where epsilon stands for the length.
template <class T>
void normalise_rows_backward(const NormaliseRowsBackward<T>& a) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const bool unit = a.kind == RowNorm::unit, centered = a.kind == RowNorm::layer;
  const T count = unit ? T(1) : T(a.columns);
  for (index r = 0; r < a.rows; ++r) {
    const T* const x = a.x + r * a.columns;
    const T* const dy = a.dy + r * a.columns;
    T* const dx = a.dx + r * a.columns;
    const T s = a.stats[2 * r + 1];
    const Vec<T> mean = Vec<T>::set(a.stats[2 * r]), factor = Vec<T>::set(s);
    const Vec<T> shift = centered ? mean : zero;
    const auto u = [&](index j, auto part) {
      return part.load(dy + j) * (a.gamma == nullptr ? one : part.load(a.gamma + j));
    };
    T along = row_sum<T>(a.columns, [&](index j, auto part) {
      return u(j, part) * ((part.load(x + j) - shift) * factor);
    });
    along = unit && s >= T(1) / a.epsilon ? T(0) : along / count;
    const T mean_u = centered ? row_sum<T>(a.columns, u) / count : T(0);
    const Vec<T> slope = Vec<T>::set(along), middle = Vec<T>::set(mean_u);
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> h = (part.load(x + j) - mean) * factor;
      part.store(factor * fnma(h, slope, u(j, part) - middle), dx + j);
    });
  }
}
