// Piecewise linear functions with a threshold, a bound, and factors below the threshold.

// f(first element of a row, column, part, factor) for all vectors.
template <class T, class F>
LF_INLINE void for_rectified(const Rectify<T>& a, F f) {
  for (index r = 0; r < a.rows; ++r) {
    for_vectors<T>(a.columns, [&](index j, auto part) {
      f(r * a.columns + j, part,
        a.factors == nullptr ? Vec<T>::set(a.factor) : part.load(a.factors + j));
    });
  }
}

// NaN stays NaN: it is on neither side of the threshold.
template <class T>
void rectify(const Rectify<T>& a) {
  const Vec<T> threshold = Vec<T>::set(a.threshold), most = Vec<T>::set(a.most);
  const Vec<T> zero = Vec<T>::zero();
  for_rectified(a, [&](index i, auto part, Vec<T> factor) {
    const Vec<T> x = part.load(a.x + i), d = x - threshold;
    const Vec<T> product = select(less(zero, abs(factor)), d * factor, zero);  // -inf by 0 is 0
    const Vec<T> below = select(less(x, threshold), product, d);
    part.store(select(less(threshold, x), min(most, x), below), a.y + i);
  });
}

template <class T>
void rectify_backward(const RectifyBackward<T>& a) {
  const Vec<T> threshold = Vec<T>::set(a.forward.threshold), most = Vec<T>::set(a.forward.most);
  const Vec<T> zero = Vec<T>::zero(), one = Vec<T>::set(T(1));
  for_rectified(a.forward, [&](index i, auto part, Vec<T> factor) {
    const Vec<T> x = part.load(a.forward.x + i);
    const Vec<T> above = select(less(x, most), one, zero);
    const Vec<T> slope =
        select(less(threshold, x), above, select(less(x, threshold), factor, zero));
    part.store(slope * part.load(a.dy + i), a.dx + i);
  });
}
