// One time step of a tail's units: see Tail in args.h. A tile over it moves each gate to a vector
// of its own before the cell.

// part_sums() over a tail, with the same order of terms: the gates move down by one.
template <int G, int N, class T>
LF_INLINE void tail_part_sums(Vec<T>* acc, const T* bias, index units, T* x_part) {
  constexpr int V = Vec<T>::kLanes;
  alignas(64) T sums[(N + 1) * V];
  tail_gate<N>(acc, 0, units).store(x_part);
  LF_UNROLL
  for (int n = 0; n < N; ++n) acc[n].store(sums + n * V);
  Vec<T>::zero().store(sums + N * V);
  Vec<T>::zero().store(sums + G * units);  // what follows the gates may be NaN
  LF_UNROLL
  for (int n = 0; n < N; ++n)
    acc[n] = Vec<T>::load(sums + n * V + units) + Vec<T>::load(bias + n * V);
}

// A tail has few vectors, so MR may be more rows than the cell takes at a time. z: [gate][n][V] for
// each such n rows, one after the other.
template <class T, class Cell, int MR, int N>
LF_NOINLINE void tail_sums(const StepForward<T>& s, index row, T* z) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kMax = tile_rows(G);
  constexpr int kShift = Cell::kApart ? 1 : 0, kSums = G + kShift;
  Vec<T> acc[1][MR][N];
  // f(m, z of row m, its stride from gate to gate)
  const auto for_rows_of_z = [&](auto f) LF_INLINED {
    LF_UNROLL
    for (int m = 0; m < MR; ++m) {
      const int first = m / kMax * kMax, n = MR - first < kMax ? MR - first : kMax;
      f(m, z + (first * kSums + m - first) * V, n * V);
    }
  };
  input_sums<T, Cell>(s, row, s.tail_panel, acc, NoFetch{});
  if constexpr (Cell::kApart) {
    const T* const bias = recurrent_bias<T, Cell, N>(s, s.tail_panel);
    for_rows_of_z([&](int m, T* to, int)
                      LF_INLINED { tail_part_sums<G, N>(acc[0][m], bias, s.tail.units, to); });
  }
  recurrent_sums<T, Cell>(s, row, s.tail_panel, acc, NoFetch{});
  for_rows_of_z([&](int m, T* to, int stride) LF_INLINED {
    LF_UNROLL
    for (int g = 0; g < G; ++g)
      tail_gate<N>(acc[0][m], g, s.tail.units).store(to + (kShift + g) * stride);
  });
}

template <class T, class Cell>
void step_tail(const StepForward<T>& s) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kMax = tile_rows(G);
  constexpr int kSums = G + (Cell::kApart ? 1 : 0);
  alignas(64) T z[tile_rows(1) * kSums * V];
  with_size<G - 1>(s.tail.vectors, [&](auto vectors) {
    constexpr int N = decltype(vectors)::value;
    const RowTiles tiles(s.row1 - s.row0, tile_rows(N));
    index row = s.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index end = row + tiles.size(i);
      with_size<tile_rows(N)>(
          end - row, [&](auto mr) { tail_sums<T, Cell, decltype(mr)::value, N>(s, row, z); });
      for (T* rows = z; row < end; rows += kMax * kSums * V) {
        const index n = end - row < kMax ? end - row : index(kMax);
        cell_rows<T, Cell>(s, rows, row, n, s.tail_panel);
        row += n;
      }
    }
  });
}

// One row of the W panels before the tail and of the tail together: the tail alone would take as
// long, since its chain of sums is as long.
template <class T, class Cell, int W, int N>
LF_NOINLINE void step_with_tail(const StepForward<T>& s) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kShift = Cell::kApart ? 1 : 0;
  const index row = s.row0, panel = s.tail_panel - W;
  Vec<T> acc[W * G + N];  // [W][G], then the tail's
  const T* b[W + 1];
  const auto begin = [&](const T* const(&from)[W + 1]) LF_INLINED {
    LF_UNROLL
    for (int j = 0; j < W * G + N; ++j)
      acc[j] = Vec<T>::load(j < W * G ? from[j / G] + j % G * V : from[W] + (j - W * G) * V);
  };
  const auto weights = [&](index k) LF_INLINED {
    LF_UNROLL
    for (int p = 0; p <= W; ++p)
      b[p] = s.weights + (panel + p) * s.weight_panel_stride + k * (p < W ? G : N) * V;
  };
  const auto add_term = [&](const T* a) LF_INLINED {
    const Vec<T> x = Vec<T>::set(*a);
    LF_UNROLL
    for (int j = 0; j < W * G + N; ++j)
      acc[j] =
          fma(x, Vec<T>::load(j < W * G ? b[j / G] + j % G * V : b[W] + (j - W * G) * V), acc[j]);
    LF_UNROLL
    for (int p = 0; p <= W; ++p) b[p] += (p < W ? G : N) * V;
  };
  const auto add = [&](const T* a, index count) LF_INLINED {
    constexpr int kTerms = terms_at_a_time(1);
    index k = 0;
    for (; k + kTerms <= count; k += kTerms) {
      LF_UNROLL
      for (int i = 0; i < kTerms; ++i) add_term(a + k + i);
    }
    for (; k < count; ++k) add_term(a + k);
  };
  alignas(64) T z[W + 1][(G + kShift) * V];
  if (s.x) {
    weights(bias_row<T, Cell>(s));
    begin(b);
    weights(kInputRow<Cell>);
    add(s.x + s.x_offsets[row], s.input);
  } else {
    LF_UNROLL
    for (int p = 0; p <= W; ++p)
      b[p] = s.z_in + (panel + p) * s.z_panel_stride + row * Cell::kKept * V;
    begin(b);
  }
  if constexpr (Cell::kApart) {
    weights(s.input + 1);
    LF_UNROLL
    for (int p = 0; p < W; ++p) part_sums<G>(acc + p * G, b[p], z[p]);
    tail_part_sums<G, N>(acc + W * G, b[W], s.tail.units, z[W]);
  }
  if (s.h_prev) {
    weights(recurrent_row<T, Cell>(s));
    add(s.h_prev + row * s.h_prev_stride, s.recurrent);
  }
  if constexpr (Cell::kInRegisters) {
    return Cell::template forward_row<W, N>(s, acc, row, panel);
  }
  LF_UNROLL
  for (int j = 0; j < W * G; ++j) acc[j].store(z[j / G] + (kShift + j % G) * V);
  LF_UNROLL
  for (int g = 0; g < G; ++g)
    tail_gate<N>(acc + W * G, g, s.tail.units).store(z[W] + (kShift + g) * V);
  for (int p = 0; p <= W; ++p) cell_rows<T, Cell>(s, z[p], row, 1, panel + p);
}
