// Sums over columns, and normalisation of columns; see ColumnSums and NormaliseColumns.

// `N` sums of W neighbouring vectors from column j on: f(row, column, part, terms) sets the terms
// of each. Runs of rows are summed in T and the runs in double, so that long sums lose no digits.
template <int N, int W, class T, class Part, class F>
LF_INLINE void sum_strip(const ColumnSums<T>& a, index j, Part part, F f) {
  constexpr int V = Vec<T>::kLanes;
  constexpr index kRun = 32;
  double lanes[N][W * V] = {};
  for (index first = 0; first < a.rows; first += kRun) {
    const index end = first + kRun < a.rows ? first + kRun : a.rows;
    Vec<T> run[N][W];
    for (int k = 0; k < N; ++k)
      for (int w = 0; w < W; ++w) run[k][w] = Vec<T>::zero();
    for (index r = first; r < end; ++r) {
      if (a.mask != nullptr && a.mask[r] == 0) continue;
      LF_UNROLL
      for (int w = 0; w < W; ++w) {
        Vec<T> terms[N];
        f(r, j + w * V, part, terms);
        LF_UNROLL
        for (int k = 0; k < N; ++k) run[k][w] = run[k][w] + terms[k];
      }
    }
    for (int k = 0; k < N; ++k) {
      for (int w = 0; w < W; ++w) {
        T t[V];
        run[k][w].store(t);
        for (int i = 0; i < V; ++i) lanes[k][w * V + i] += t[i];
      }
    }
  }
  const index width = a.columns - j < W * V ? a.columns - j : W * V;
  for (int k = 0; k < N; ++k)
    for (index i = 0; i < width; ++i) a.sums[k * a.columns + j + i] = lanes[k][i];
}

template <int N, class T, class F>
void sum_columns(const ColumnSums<T>& a, F f) {
  constexpr int V = Vec<T>::kLanes, W = 4;
  index j = 0;
  for (; j + W * V <= a.columns; j += W * V) sum_strip<N, W>(a, j, Whole<T>{}, f);
  for_vectors<T>(a.columns - j, [&](index k, auto part) { sum_strip<N, 1>(a, j + k, part, f); });
}

template <class T>
void column_sums(const ColumnSums<T>& a) {
  const auto x = [&](index r, index j, auto part) { return part.load(a.x + r * a.columns + j); };
  const auto dy = [&](index r, index j, auto part) { return part.load(a.dy + r * a.columns + j); };
  switch (a.op) {
    case ColumnSum::values:
      return sum_columns<1>(
          a, [&](index r, index j, auto part, Vec<T>* out) { out[0] = x(r, j, part); });
    case ColumnSum::squares:
      return sum_columns<1>(a, [&](index r, index j, auto part, Vec<T>* out) {
        const Vec<T> d = x(r, j, part) - part.load(a.center + j);
        out[0] = d * d;
      });
    case ColumnSum::products:
      return sum_columns<2>(a, [&](index r, index j, auto part, Vec<T>* out) {
        out[1] = dy(r, j, part);
        out[0] = out[1] * (x(r, j, part) - part.load(a.center + j));
      });
    case ColumnSum::of_rows:
      return sum_columns<2>(a, [&](index r, index j, auto part, Vec<T>* out) {
        const Vec<T> shift = a.centered ? Vec<T>::set(a.stats[2 * r]) : Vec<T>::zero();
        out[1] = dy(r, j, part);
        out[0] = out[1] * ((x(r, j, part) - shift) * Vec<T>::set(a.stats[2 * r + 1]));
      });
    case ColumnSum::negatives:
      return sum_columns<1>(a, [&](index r, index j, auto part, Vec<T>* out) {
        out[0] = dy(r, j, part) * min(Vec<T>::zero(), x(r, j, part));
      });
  }
}

template <class T>
void normalise_columns(const NormaliseColumns<T>& a) {
  for (index r = 0; r < a.rows; ++r) {
    const T* const x = a.x + r * a.columns;
    T* const y = a.y + r * a.columns;
    for_vectors<T>(a.columns, [&](index j, auto part) {
      const Vec<T> shift = a.shift == nullptr ? Vec<T>::zero() : part.load(a.shift + j);
      part.store(fma(part.load(x + j) - part.load(a.center + j), part.load(a.factor + j), shift),
                 y + j);
    });
  }
}

template <class T>
void normalise_columns_backward(const NormaliseColumnsBackward<T>& a) {
  for (index r = 0; r < a.rows; ++r) {
    const T* const x = a.x + r * a.columns;
    const T* const dy = a.dy + r * a.columns;
    T* const dx = a.dx + r * a.columns;
    const bool measured = a.mean != nullptr && (a.mask == nullptr || a.mask[r] != 0);
    if (measured) {
      for_vectors<T>(a.columns, [&](index j, auto part) {
        const Vec<T> d = part.load(x + j) - part.load(a.center + j);
        const Vec<T> rest = part.load(dy + j) - part.load(a.mean + j);
        part.store(part.load(a.factor + j) * fnma(d, part.load(a.slope + j), rest), dx + j);
      });
    } else {
      for_vectors<T>(a.columns, [&](index j, auto part) {
        part.store(part.load(a.factor + j) * part.load(dy + j), dx + j);
      });
    }
  }
}
