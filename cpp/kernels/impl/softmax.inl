// Softmax along rows, and its backward.

template <class T>
LF_INLINE T row_max(index columns, const T* x) {
  const Vec<T> lowest = Vec<T>::set(-T(__builtin_inf()));
  Vec<T> m = lowest;
  for_vectors<T>(columns,
                 [&](index j, auto part) { m = max(m, part.keep(part.load(x + j), lowest)); });
  T t[Vec<T>::kLanes];
  m.store(t);
  T greatest = t[0];
  for (int i = 1; i < Vec<T>::kLanes; ++i) greatest = greatest < t[i] ? t[i] : greatest;
  return greatest;
}

template <class T>
void softmax(const Softmax<T>& a) {
  const Vec<T> zero = Vec<T>::zero();
  for (index r = 0; r < a.rows; ++r) {
    const T* x = a.x + r * a.x_stride;
    T* y = a.y + r * a.y_stride;
    const Vec<T> m = Vec<T>::set(row_max(a.columns, x));
    Total<T> total;
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> e = exp(part.load(x + j) - m);
      total.add(part.keep(e, zero));
      part.store(e, y + j);
    });
    const Vec<T> sum = Vec<T>::set(T(total.result()));
    for_vectors<T>(a.columns,
                   [&](index j, auto part) { part.store(part.load(y + j) / sum, y + j); });
  }
}

template <class T>
void softmax_backward(const SoftmaxBackward<T>& a) {
  for (index r = 0; r < a.rows; ++r) {
    const T* y = a.y + r * a.y_stride;
    const T* dy = a.dy + r * a.dy_stride;
    T* dx = a.dx + r * a.dx_stride;
    Total<T> total;
    for_vectors<T>(a.columns,
                   [&](index j, auto part) { total.add(part.load(y + j) * part.load(dy + j)); });
    const Vec<T> dot = Vec<T>::set(T(total.result()));
    for_vectors<T>(a.columns, [&](index j, auto part) {
      part.store(part.load(y + j) * (part.load(dy + j) - dot), dx + j);
    });
  }
}
