// One time step: the GEMM tile ends with all gates of the same units in registers, and the cell
// runs there. See StepForward and StepBackward in lstm_args.h. Cell is PlainCell or GeneralCell<T,
// G>.

template <class C>
struct CellType {
  using type = C;
};

// The list of cells that run in the tile: f(CellType<cell>) for the options.
template <class T, class F>
LF_INLINE void with_cell(const CellOptions& options, F f) {
  if (is_plain(options)) {
    f(CellType<PlainCell<T>>{});
  } else if (options.coupled) {
    f(CellType<GeneralCell<T, 3>>{});
  } else {
    f(CellType<GeneralCell<T, 4>>{});
  }
}

// Not inlined, so that its code does not exist once per tile size.
template <class T, class Cell>
LF_NOINLINE void cell_rows(const StepForward<T>& s, T* z, index row, index rows, index panel) {
  Cell::forward(s, z, row, rows, panel);
}

// b + x W + h R of MR rows of NP neighbouring panels, N vectors each; G gates.
template <class T, int MR, int NP, int N, class Ahead = NoFetch>
LF_INLINE void step_sums(const StepForward<T>& s, index row, index panel, int G,
                         Vec<T> (&acc)[NP][MR][N], const Ahead& ahead = {}) {
  constexpr int V = Vec<T>::kLanes;
  const T* b[NP];
  const T* a[MR];
  LF_UNROLL
  for (int p = 0; p < NP; ++p) b[p] = s.weights + (panel + p) * s.weight_panel_stride;
  if (s.x) {
    LF_UNROLL
    for (int p = 0; p < NP; ++p) {
      load_bias<T, MR, N>(acc[p], b[p]);
      b[p] += N * V;
    }
    LF_UNROLL
    for (int m = 0; m < MR; ++m) a[m] = s.x + s.x_offsets[row + m];
    accumulate_panels<T, NP, MR, N>(acc, a, b, N * V, s.input, ahead);
  } else {
    for (int p = 0; p < NP; ++p)
      for (int m = 0; m < MR; ++m)
        for (int n = 0; n < N; ++n)
          acc[p][m][n] =
              Vec<T>::load(s.z_in + (panel + p) * s.z_panel_stride + ((row + m) * G + n) * V);
  }
  if (!s.h_prev) return;
  LF_UNROLL
  for (int p = 0; p < NP; ++p)
    b[p] = s.weights + (panel + p) * s.weight_panel_stride + (1 + s.input) * N * V;
  LF_UNROLL
  for (int m = 0; m < MR; ++m) a[m] = s.h_prev + (row + m) * s.h_prev_stride;
  accumulate_panels<T, NP, MR, N>(acc, a, b, N * V, s.recurrent, ahead.after(s.input));
}

// MR rows of NP neighbouring panels: one row takes two panels at once to keep the FMA units busy.
template <class T, class Cell, int MR, int NP, class Ahead = NoFetch>
LF_INLINE void step_tile(const StepForward<T>& s, index row, index panel, const Ahead& ahead = {}) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates;
  alignas(64) T z[NP][MR * G * V];
  {
    Vec<T> acc[NP][MR][G];
    step_sums<T, MR, NP, G>(s, row, panel, G, acc, ahead);
    LF_UNROLL
    for (int p = 0; p < NP; ++p) LF_UNROLL
    for (int m = 0; m < MR; ++m) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][m][g].store(z[p] + (g * MR + m) * V);
  }
  for (int p = 0; p < NP; ++p) cell_rows<T, Cell>(s, z[p], row, MR, panel + p);
}

// Gate g of a tail's sums, 0 after its units: it begins in vector `at` and ends there or in the
// next.
template <class T, int N>
LF_INLINE Vec<T> tail_gate(const Vec<T> (&sums)[N], int g, index units) {
  const int at = N == 3 && g >= 2 ? 1 : 0;
  const Vec<T> next = sums[at + 1 < N ? at + 1 : at];
  return window(sums[at], next, g * units - at * index(Vec<T>::kLanes), units);
}

// A tail has few vectors, so MR may be more rows than the cell takes at a time. z: [G][n][V] for
// each such n rows, one after the other.
template <class T, int G, int MR, int N>
LF_NOINLINE void tail_sums(const StepForward<T>& s, index row, T* z) {
  constexpr int V = Vec<T>::kLanes, kMax = tile_rows(G);
  Vec<T> acc[1][MR][N];
  step_sums<T, MR, 1, N>(s, row, s.tail_panel, G, acc);
  LF_UNROLL
  for (int m = 0; m < MR; ++m) {
    const int first = m / kMax * kMax, n = MR - first < kMax ? MR - first : kMax;
    LF_UNROLL
    for (int g = 0; g < G; ++g)
      tail_gate(acc[0][m], g, s.tail.units).store(z + (first * G + g * n + m - first) * V);
  }
}

template <class T, class Cell>
void step_tail(const StepForward<T>& s) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kMax = tile_rows(G);
  alignas(64) T z[tile_rows(1) * G * V];
  with_size<G - 1>(s.tail.vectors, [&](auto vectors) {
    constexpr int N = decltype(vectors)::value;
    const RowTiles tiles(s.row1 - s.row0, tile_rows(N));
    index row = s.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index end = row + tiles.size(i);
      with_size<tile_rows(N)>(end - row,
                              [&](auto mr) { tail_sums<T, G, decltype(mr)::value, N>(s, row, z); });
      for (T* rows = z; row < end; rows += kMax * G * V) {
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
LF_NOINLINE void step_with_tail(const StepForward<T>& s, index row) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates;
  const index panel = s.tail_panel - W;
  Vec<T> acc[W][G], tail[N];
  const T* b[W + 1];
  const auto begin = [&](const T* from, index panel_stride) LF_INLINED {
    LF_UNROLL
    for (int p = 0; p < W; ++p) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][g] = Vec<T>::load(from + p * panel_stride + g * V);
    LF_UNROLL
    for (int n = 0; n < N; ++n) tail[n] = Vec<T>::load(from + W * panel_stride + n * V);
  };
  const auto weights = [&](index k) LF_INLINED {
    LF_UNROLL
    for (int p = 0; p <= W; ++p)
      b[p] = s.weights + (panel + p) * s.weight_panel_stride + k * (p < W ? G : N) * V;
  };
  const auto add = [&](const T* a, index count) LF_INLINED {
    for (index k = 0; k < count; ++k) {
      const Vec<T> x = Vec<T>::set(a[k]);
      LF_UNROLL
      for (int p = 0; p < W; ++p) {
        LF_UNROLL
        for (int g = 0; g < G; ++g) acc[p][g] = fma(x, Vec<T>::load(b[p] + g * V), acc[p][g]);
        b[p] += G * V;
      }
      LF_UNROLL
      for (int n = 0; n < N; ++n) tail[n] = fma(x, Vec<T>::load(b[W] + n * V), tail[n]);
      b[W] += N * V;
    }
  };
  if (s.x) {
    weights(0);
    begin(b[0], s.weight_panel_stride);
    weights(1);
    add(s.x + s.x_offsets[row], s.input);
  } else {
    begin(s.z_in + panel * s.z_panel_stride + row * G * V, s.z_panel_stride);
  }
  if (s.h_prev) {
    weights(1 + s.input);
    add(s.h_prev + row * s.h_prev_stride, s.recurrent);
  }
  alignas(64) T z[W + 1][G * V];
  LF_UNROLL
  for (int p = 0; p < W; ++p) LF_UNROLL
  for (int g = 0; g < G; ++g) acc[p][g].store(z[p] + g * V);
  LF_UNROLL
  for (int g = 0; g < G; ++g) tail_gate(tail, g, s.tail.units).store(z[W] + g * V);
  for (int p = 0; p <= W; ++p) cell_rows<T, Cell>(s, z[p], row, 1, panel + p);
}

// Passed next to `s`: copying `s` right after the caller's stores stalls on store forwarding.
struct Panels {
  index panel0, panel1;
  bool descending;
};

// As many vectors as a tile has terms are fetched.
template <class T>
LF_INLINE Fetch<T> part_of_panel(const StepForward<T>& s, index panel, index part) {
  return {s.weights + panel * s.weight_panel_stride +
          part * (s.input + s.recurrent) * Vec<T>::kLanes};
}

template <class T, class Cell>
void step_panels(const StepForward<T>& s, const Panels& panels) {
  constexpr int kMax = tile_rows(Cell::kGates);
  if (s.row1 - s.row0 == 1) {
    for_panels<2>(panels, [&](auto np, index p) {
      step_tile<T, Cell, 1, decltype(np)::value>(s, s.row0, p);
    });
    return;
  }
  const RowTiles tiles(s.row1 - s.row0, kMax);
  for_panels<1>(panels, [&](auto, index p) {
    const index next = panels.descending ? p - 1 : p + 1;
    const bool fetches = s.fetches && next >= panels.panel0 && next < panels.panel1;
    index row = s.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index rows = tiles.size(i);
      with_size<kMax>(rows, [&](auto mr) LF_INLINED {
        constexpr int MR = decltype(mr)::value;
        const index part = tiles.part(i, Cell::kGates);
        if constexpr (MR >= kMax - 1) {
          if (fetches && part >= 0)
            return step_tile<T, Cell, MR, 1>(s, row, p, part_of_panel(s, next, part));
        }
        step_tile<T, Cell, MR, 1>(s, row, p);
      });
      row += rows;
    }
  });
}

template <class T, class Cell>
void step_forward_cell(const StepForward<T>& s) {
  Panels whole{s.panel0, s.panel1, s.descending};
  if (s.panel0 == s.panel1 || s.panel1 - 1 != s.tail_panel) return step_panels<T, Cell>(s, whole);
  --whole.panel1;
  const index panels = whole.panel1 - whole.panel0;
  const index paired = s.row1 - s.row0 > 1 || panels == 0 ? 0 : 2 - panels % 2;
  whole.panel1 -= paired;
  const auto tail = [&] {
    if (paired == 0) return step_tail<T, Cell>(s);
    with_size<2>(paired, [&](auto w) {
      with_size<Cell::kGates - 1>(s.tail.vectors, [&](auto n) {
        step_with_tail<T, Cell, decltype(w)::value, decltype(n)::value>(s, s.row0);
      });
    });
  };
  if (s.descending) tail();
  step_panels<T, Cell>(s, whole);
  if (!s.descending) tail();
}

template <class T>
void step_forward(const StepForward<T>& s) {
  with_cell<T>(*s.cell.options,
               [&](auto cell) { step_forward_cell<T, typename decltype(cell)::type>(s); });
}

template <class T>
void step_backward(const StepBackward<T>& s) {
  with_cell<T>(*s.cell.options, [&](auto cell) {
    for (index panel = s.panel0; panel < s.panel1; ++panel)
      decltype(cell)::type::backward(s, panel);
  });
}
