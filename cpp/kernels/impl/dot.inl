// Products with few columns, as dot products: see Gemm::columns_of_b in args.h.

// Of C columns w, `stride` apart, the sums of x[k] w[k] for k = j, j + kDotSums, ..., of which
// vector i of N has those from j = i V on. w is zero where x has ended.
template <class T, int C, int N>
LF_INLINE void dot_sums(const T* x, const T* w, index stride, index count, Vec<T> (&sums)[C][N]) {
  constexpr int V = Vec<T>::kLanes;
  const auto add = [&](index k, int i, Vec<T> at) LF_INLINED {
    LF_UNROLL
    for (int c = 0; c < C; ++c)
      sums[c][i] = fma(at, Vec<T>::load(w + c * stride + k + i * V), sums[c][i]);
  };
  LF_UNROLL
  for (int i = 0; i < C * N; ++i) sums[i / N][i % N] = Vec<T>::zero();
  index k = 0;
  for (; k + kDotSums <= count; k += kDotSums) {
    LF_UNROLL
    for (int i = 0; i < N; ++i) add(k, i, Vec<T>::load(x + k + i * V));
  }
  LF_UNROLL
  for (int i = 0; i < N; ++i) {
    const index left = count - k - i * V;
    if (left > 0) add(k, i, load_up_to(x + k + i * V, left));
  }
}

// The sum of all lanes: the upper half is added to the lower until one is left.
template <class T, int N>
LF_INLINE T sum_by_halves(Vec<T> (&x)[N]) {
  LF_UNROLL
  for (int n = N / 2; n > 0; n /= 2) {
    LF_UNROLL
    for (int i = 0; i < n; ++i) x[i] = x[i] + x[i + n];
  }
  return sum_by_halves(x[0]);
}

template <class T, int C>
LF_INLINE void dot_row(const Gemm<T>& g, const T* x, T* y) {
  Vec<T> sums[C][kDotSums / Vec<T>::kLanes];
  dot_sums(x, g.columns_of_b, dot_terms(g.segment), g.segment, sums);
  LF_UNROLL
  for (int c = 0; c < C; ++c) {
    y[c] = (g.bias ? g.bias[c] : T(0)) + sum_by_halves(sums[c]);
  }
}

template <class T, int C>
LF_NOINLINE void dot_rows(const Gemm<T>& g) {
  for (index row = g.row0; row < g.row1; ++row) {
    dot_row<T, C>(g, g.a + (g.a_offsets ? g.a_offsets[row] : row * g.a_stride),
                  g.c + (g.c_offsets ? g.c_offsets[row] : row * g.c_stride));
  }
}

// A function of its own, for in a step of a small model each instruction counts.
template <class T>
LF_NOINLINE void dot_of_one_row(const Gemm<T>& g) {
  dot_row<T, 1>(g, g.a, g.c);
}

template <class T>
LF_INLINE void dots(const Gemm<T>& g) {
  const bool one = g.columns == 1 && g.row0 == 0 && g.row1 == 1 && !g.a_offsets && !g.c_offsets;
  if (one) return dot_of_one_row(g);
  with_size<kMostDots>(g.columns, [&](auto c) { dot_rows<T, decltype(c)::value>(g); });
}
