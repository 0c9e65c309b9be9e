// How many predictions are right; see Matches in vector_args.h.

// Column of the first greatest value; `columns` where the row has only NaN.
template <class T>
LF_INLINE index first_greatest(index columns, const T* x) {
  const T greatest = row_max(columns, x);
  index j = 0;
  while (j < columns && !(x[j] == greatest)) ++j;
  return j;
}

template <class T>
LF_INLINE double binary_matches(const Matches<T>& a, const T* p, const T* t) {
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  const Vec<T> threshold = Vec<T>::set(a.threshold);
  // targets that are neither 0 nor 1 never match
  const Vec<T> nearly = Vec<T>::set(T(__FLT_MIN__));
  Total<T> total;
  for_vectors<T>(a.columns, [&](index j, auto part) {
    const Vec<T> decision = select(less(threshold, part.load(p + j)), one, zero);
    const Vec<T> miss = abs(decision - part.load(t + j));
    total.add(part.keep(select(less(miss, nearly), one, zero), zero));
  });
  return total.result();
}

template <class T>
void matches(const Matches<T>& a) {
  double total = 0;
  for (index r = 0; r < a.rows; ++r) {
    const double weight = a.weights ? double(a.weights[r]) : 1.0;
    const T* p = a.prediction + r * a.prediction_stride;
    const T* t = a.target + r * a.target_stride;
    switch (a.kind) {
      case MatchKind::binary:
        total += weight * binary_matches(a, p, t);
        break;
      case MatchKind::dense:
        total += first_greatest(a.columns, p) == first_greatest(a.columns, t) ? weight : 0.0;
        break;
      case MatchKind::labels:
        total += first_greatest(a.columns, p) == index(*t) ? weight : 0.0;
        break;
    }
  }
  *a.total = total;
}
