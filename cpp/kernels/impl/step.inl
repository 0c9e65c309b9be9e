// One time step: the GEMM tile ends with all gates of the same units in registers, and the cell
// runs there. See StepForward and StepBackward in lstm_args.h, and SumsOfCell in
// cells/step_rows.inl for what a Cell says of its sums.

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

// Row of a panel at which a part of its weights begins; with the sums of x W and h R apart each has
// a bias.
template <class T, class Cell>
LF_INLINE index bias_row(const StepForward<T>& s) {
  return Cell::kApart ? s.input : 0;
}
template <class Cell>
constexpr index kInputRow = Cell::kApart ? 0 : 1;
template <class T, class Cell>
LF_INLINE index recurrent_row(const StepForward<T>& s) {
  return s.input + (Cell::kApart ? 2 : 1);
}
// Vectors of a row of weights of which the sums take N: those of a tail, or of a whole panel.
template <class Cell, int N>
constexpr index kRowVectors = N == Cell::kGates ? Cell::kRow : N;

// acc = b + x W of MR rows of NP neighbouring panels, N vectors each.
template <class T, class Cell, int MR, int NP, int N, class Ahead>
LF_INLINE void input_sums(const StepForward<T>& s, index row, index panel, Vec<T> (&acc)[NP][MR][N],
                          const Ahead& ahead) {
  constexpr int V = Vec<T>::kLanes;
  constexpr index kStride = kRowVectors<Cell, N> * V;
  if (s.x) {
    const T* b[NP];
    const T* a[MR];
    LF_UNROLL
    for (int p = 0; p < NP; ++p) {
      const T* const weights = s.weights + (panel + p) * s.weight_panel_stride;
      load_bias<T, MR, N>(acc[p], weights + bias_row<T, Cell>(s) * kStride);
      b[p] = weights + kInputRow<Cell> * kStride;
    }
    LF_UNROLL
    for (int m = 0; m < MR; ++m) a[m] = s.x + s.x_offsets[row + m];
    accumulate_panels<T, NP, MR, N>(acc, a, b, kStride, s.input, ahead);
    return;
  }
  for (int p = 0; p < NP; ++p)
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < N; ++n)
        acc[p][m][n] = Vec<T>::load(s.z_in + (panel + p) * s.z_panel_stride +
                                    ((row + m) * Cell::kKept + Cell::kFirst + n) * V);
}

// acc += h R.
template <class T, class Cell, int MR, int NP, int N, class Ahead>
LF_INLINE void recurrent_sums(const StepForward<T>& s, index row, index panel,
                              Vec<T> (&acc)[NP][MR][N], const Ahead& ahead) {
  constexpr int V = Vec<T>::kLanes;
  constexpr index kStride = kRowVectors<Cell, N> * V;
  if (!s.h_prev) return;
  const T* b[NP];
  const T* a[MR];
  LF_UNROLL
  for (int p = 0; p < NP; ++p)
    b[p] = s.weights + (panel + p) * s.weight_panel_stride + recurrent_row<T, Cell>(s) * kStride +
           Cell::kFirst * V;
  LF_UNROLL
  for (int m = 0; m < MR; ++m) a[m] = s.h_prev + (row + m) * s.h_prev_stride;
  accumulate_panels<T, NP, MR, N>(acc, a, b, kStride, s.recurrent, ahead.after(s.input));
}

// The bias of h R of a panel whose rows have N vectors.
template <class T, class Cell, int N>
LF_INLINE const T* recurrent_bias(const StepForward<T>& s, index panel) {
  return s.weights + panel * s.weight_panel_stride + (s.input + 1) * N * Vec<T>::kLanes;
}

// Where x W and h R are apart: from the sums of x W, of which the first is the candidate's and goes
// to x_part, to what those of h R begin with. Its sums are those of the gates after the first, then
// the candidate's own.
template <class T, int N>
LF_INLINE void part_sums(Vec<T> (&acc)[N], const T* bias, T* x_part) {
  constexpr int V = Vec<T>::kLanes;
  acc[0].store(x_part);
  LF_UNROLL
  for (int n = 0; n + 1 < N; ++n) acc[n] = acc[n + 1] + Vec<T>::load(bias + n * V);
  acc[N - 1] = Vec<T>::load(bias + (N - 1) * V);
}

// MR rows of NP neighbouring panels: one row takes several panels at once to keep the FMA units
// busy.
template <class T, class Cell, int MR, int NP, class Ahead = NoFetch>
LF_INLINE void step_tile(const StepForward<T>& s, index row, index panel, const Ahead& ahead = {}) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kShift = Cell::kApart ? 1 : 0;
  alignas(64) T z[NP][MR * (G + kShift) * V];
  {
    Vec<T> acc[NP][MR][G];
    input_sums<T, Cell>(s, row, panel, acc, ahead);
    if constexpr (Cell::kApart) {
      for (int p = 0; p < NP; ++p) LF_UNROLL
      for (int m = 0; m < MR; ++m)
        part_sums(acc[p][m], recurrent_bias<T, Cell, G>(s, panel + p), z[p] + m * V);
    }
    recurrent_sums<T, Cell>(s, row, panel, acc, ahead);
    LF_UNROLL
    for (int p = 0; p < NP; ++p) LF_UNROLL
    for (int m = 0; m < MR; ++m) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][m][g].store(z[p] + ((kShift + g) * MR + m) * V);
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

// Adds the gates of h R, of which the last is the candidate's own, to those of x W.
template <class T, int G, int N>
LF_INLINE void add_tail(const Vec<T> (&sums)[N], index units, T* z, index stride) {
  LF_UNROLL
  for (int g = 1; g < G; ++g)
    (Vec<T>::load(z + g * stride) + tail_gate(sums, g - 1, units)).store(z + g * stride);
  tail_gate(sums, G - 1, units).store(z + G * stride);
}

// A tail has few vectors, so MR may be more rows than the cell takes at a time. z: [gate][n][V] for
// each such n rows, one after the other.
template <class T, class Cell, int MR, int N>
LF_NOINLINE void tail_sums(const StepForward<T>& s, index row, T* z) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kMax = tile_rows(G);
  constexpr int kSums = G + (Cell::kApart ? 1 : 0);
  Vec<T> acc[1][MR][N];
  // f(m, z of row m, its stride from gate to gate)
  const auto for_rows_of_z = [&](auto f) LF_INLINED {
    LF_UNROLL
    for (int m = 0; m < MR; ++m) {
      const int first = m / kMax * kMax, n = MR - first < kMax ? MR - first : kMax;
      f(m, z + (first * kSums + m - first) * V, n * V);
    }
  };
  const auto store_gates = [&](int m, T* to, int stride) LF_INLINED {
    LF_UNROLL
    for (int g = 0; g < G; ++g) tail_gate(acc[0][m], g, s.tail.units).store(to + g * stride);
  };
  input_sums<T, Cell>(s, row, s.tail_panel, acc, NoFetch{});
  if constexpr (Cell::kApart) {
    for_rows_of_z(store_gates);
    load_bias<T, MR, N>(acc[0], recurrent_bias<T, Cell, N>(s, s.tail_panel));
  }
  recurrent_sums<T, Cell>(s, row, s.tail_panel, acc, NoFetch{});
  if constexpr (Cell::kApart) {
    for_rows_of_z([&](int m, T* to, int stride)
                      LF_INLINED { add_tail<T, G>(acc[0][m], s.tail.units, to, stride); });
  } else {
    for_rows_of_z(store_gates);
  }
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
LF_NOINLINE void step_with_tail(const StepForward<T>& s, index row) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kShift = Cell::kApart ? 1 : 0;
  const index panel = s.tail_panel - W;
  Vec<T> acc[W][G], tail[N];
  const T* b[W + 1];
  const auto begin = [&](const T* const(&from)[W + 1]) LF_INLINED {
    LF_UNROLL
    for (int p = 0; p < W; ++p) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][g] = Vec<T>::load(from[p] + g * V);
    LF_UNROLL
    for (int n = 0; n < N; ++n) tail[n] = Vec<T>::load(from[W] + n * V);
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
    LF_UNROLL
    for (int g = 0; g < G; ++g) tail_gate(tail, g, s.tail.units).store(z[W] + g * V);
    weights(s.input + 1);
    LF_UNROLL
    for (int p = 0; p < W; ++p) part_sums(acc[p], b[p], z[p]);
    LF_UNROLL
    for (int n = 0; n < N; ++n) tail[n] = Vec<T>::load(b[W] + n * V);
  }
  if (s.h_prev) {
    weights(recurrent_row<T, Cell>(s));
    add(s.h_prev + row * s.h_prev_stride, s.recurrent);
  }
  LF_UNROLL
  for (int p = 0; p < W; ++p) LF_UNROLL
  for (int g = 0; g < G; ++g) acc[p][g].store(z[p] + (kShift + g) * V);
  if constexpr (Cell::kApart) {
    add_tail<T, G>(tail, s.tail.units, z[W], V);
  } else {
    LF_UNROLL
    for (int g = 0; g < G; ++g) tail_gate(tail, g, s.tail.units).store(z[W] + g * V);
  }
  for (int p = 0; p <= W; ++p) cell_rows<T, Cell>(s, z[p], row, 1, panel + p);
}

// As many vectors as a tile has terms are fetched.
template <class T>
LF_INLINE Fetch<T> part_of_panel(const StepForward<T>& s, index panel, index part) {
  return {s.weights + panel * s.weight_panel_stride +
          part * (s.input + s.recurrent) * Vec<T>::kLanes};
}

template <class T, class Cell>
void step_panels(const StepForward<T>& s, const Panels& panels) {
  constexpr int kMax = tile_rows(Cell::kWide * Cell::kGates);
  if (s.row1 - s.row0 == 1) {
    for_panels<Cell::kPaired>(panels, [&](auto np, index p) {
      step_tile<T, Cell, 1, decltype(np)::value>(s, s.row0, p);
    });
    return;
  }
  const RowTiles tiles(s.row1 - s.row0, kMax);
  for_panels<Cell::kWide>(panels, [&](auto np, index p) {
    constexpr int NP = decltype(np)::value;
    const index next = panels.descending ? p - 1 : p + 1;
    const bool fetches =
        Cell::kWide == 1 && s.fetches && next >= panels.panel0 && next < panels.panel1;
    index row = s.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index rows = tiles.size(i);
      with_size<kMax>(rows, [&](auto mr) LF_INLINED {
        constexpr int MR = decltype(mr)::value;
        const index part = tiles.part(i, Cell::kGates);
        if constexpr (Cell::kWide == 1 && MR >= kMax - 1) {
          if (fetches && part >= 0)
            return step_tile<T, Cell, MR, 1>(s, row, p, part_of_panel(s, next, part));
        }
        step_tile<T, Cell, MR, NP>(s, row, p);
      });
      row += rows;
    }
  });
}

template <class T, class Cell>
void step_forward_cell(const StepForward<T>& s) {
  Panels whole{s.panel0, s.panel1, s.descending};
  if constexpr (Cell::kHasTail) {
    if (s.panel0 != s.panel1 && s.panel1 - 1 == s.tail_panel) {
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
      return;
    }
  }
  step_panels<T, Cell>(s, whole);
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
