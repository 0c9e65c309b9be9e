// Loops over whole vectors and a tail, written once; and sums.

template <class T>
struct Whole {
  LF_INLINE Vec<T> load(const T* p) const { return Vec<T>::load(p); }
  LF_INLINE void store(Vec<T> x, T* p) const { x.store(p); }
  LF_INLINE Vec<T> keep(Vec<T> x, Vec<T>) const { return x; }
};

template <class T>
constexpr T kLaneNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// The lanes below n.
template <class T>
LF_INLINE Mask<T> lanes_below(index n) {
  return less(Vec<T>::load(kLaneNumbers<T>), Vec<T>::set(T(n)));
}

// n < V lanes of lo followed by hi, from `first` on, then zeros. An ISA may have its own.
template <class T>
LF_INLINE Vec<T> window(Vec<T> lo, Vec<T> hi, index first, index n) {
  T t[2 * Vec<T>::kLanes];
  lo.store(t);
  hi.store(t + Vec<T>::kLanes);
  return load_part(t + first, n);
}

// f of all lanes, two at a time: the upper half and the lower become one, until one lane is left.
template <class T, class F>
LF_INLINE T by_halves(Vec<T> x, F f) {
  T t[Vec<T>::kLanes];
  x.store(t);
  LF_UNROLL
  for (int n = Vec<T>::kLanes / 2; n > 0; n /= 2) {
    LF_UNROLL
    for (int i = 0; i < n; ++i) t[i] = f(t[i], t[i + n]);
  }
  return t[0];
}

// The sum of all lanes. An ISA may have its own.
template <class T>
LF_INLINE T sum_by_halves(Vec<T> x) {
  return by_halves(x, [](T a, T b) LF_INLINED { return a + b; });
}

// At most n elements, n > 0: a whole vector, or the first lanes of one.
template <class T>
LF_INLINE Vec<T> load_up_to(const T* p, index n) {
  return n >= Vec<T>::kLanes ? Vec<T>::load(p) : load_part(p, n);
}
template <class T>
LF_INLINE void store_up_to(Vec<T> x, T* p, index n) {
  n >= Vec<T>::kLanes ? x.store(p) : store_part(x, p, n);
}

// The first n lanes; keep() takes the others from `other`.
template <class T>
struct First {
  index n;
  LF_INLINE Vec<T> load(const T* p) const { return load_part(p, n); }
  LF_INLINE void store(Vec<T> x, T* p) const { store_part(x, p, n); }
  LF_INLINE Vec<T> keep(Vec<T> x, Vec<T> other) const {
    return select(lanes_below<T>(n), x, other);
  }
};

// f(j, part) for the vectors that begin at elements j of 0 .. count; part is a Whole or a First.
template <class T, class F>
LF_INLINE void for_vectors(index count, F f) {
  constexpr int V = Vec<T>::kLanes;
  index j = 0;
  for (; j + V <= count; j += V) f(j, Whole<T>{});
  if (j < count) f(j, First<T>{count - j});
}

// A sum of vectors, over all lanes. Short runs are summed in T and the runs in double, always in
// the same order, so that long sums lose no digits.
template <class T>
struct Total {
  static constexpr int V = Vec<T>::kLanes, kRun = 32;
  Vec<T> run = Vec<T>::zero();
  int used = 0;
  double lanes[V] = {};

  LF_INLINE void add(Vec<T> x) {
    run = run + x;
    if (++used == kRun) flush();
  }
  LF_INLINE void flush() {
    T t[V];
    run.store(t);
    for (int i = 0; i < V; ++i) lanes[i] += t[i];
    run = Vec<T>::zero();
    used = 0;
  }
  LF_INLINE double result() {
    flush();
    double sum = 0;
    for (int i = 0; i < V; ++i) sum += lanes[i];
    return sum;
  }
};

// A vector function of one number: for use once a row.
template <class T>
LF_INLINE T first_lane(Vec<T> x) {
  T t[Vec<T>::kLanes];
  x.store(t);
  return t[0];
}
