// Sums over flat vectors.

// Four interleaved sums hide the latency of an addition.
template <class T, class F>
LF_INLINE double sum_of(index count, const T* x, F f) {
  constexpr int V = Vec<T>::kLanes;
  Total<T> totals[4];
  index j = 0;
  for (; j + 4 * V <= count; j += 4 * V) {
    LF_UNROLL
    for (int i = 0; i < 4; ++i) totals[i].add(f(Vec<T>::load(x + j + i * V)));
  }
  for_vectors<T>(count - j, [&](index k, auto part) { totals[0].add(f(part.load(x + j + k))); });
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += totals[i].result();
  return sum;
}

template <class T>
void reduce(const Reduce<T>& a) {
  const Vec<T> factor = Vec<T>::set(a.factor), zero = Vec<T>::zero();
  switch (a.op) {
    case ReduceOp::sum:
      *a.total = sum_of(a.count, a.x, [](Vec<T> x) { return x; });
      return;
    case ReduceOp::squares:
      *a.total = sum_of(a.count, a.x, [&](Vec<T> x) {
        x = factor * x;
        return x * x;
      });
      return;
    case ReduceOp::magnitudes:
      *a.total = sum_of(a.count, a.x, [](Vec<T> x) { return abs(x); });
      return;
    case ReduceOp::zeros:
      *a.total = sum_of(a.count, a.x, [&](Vec<T> x) { return x * zero; });
      return;
  }
}
