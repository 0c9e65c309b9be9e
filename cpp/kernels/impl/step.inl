// One time step: the GEMM tile ends with all gates of the same units in registers, and the cell
// runs there. See StepForward and StepBackward in lstm_args.h, and SumsOfCell in
// cells/step_rows.inl for what a Cell says of its sums.

template <class C>
struct CellType {
  using type = C;
};

// The list of cells that run in the tile: f(CellType<cell>) for the parameters, and the phase of a
// step that has two.
template <class T, class F>
LF_INLINE void with_cell(const CellParams<T>& cell, int phase, F f) {
  const CellOptions& options = *cell.options;
  switch (options.kind) {
    case CellKind::lstm:
      if (cell.plain) return f(CellType<PlainCell<T>>{});
      if (options.coupled) return f(CellType<GeneralCell<T, 3>>{});
      return f(CellType<GeneralCell<T, 4>>{});
    case CellKind::gru:
      return f(CellType<GruCell<T>>{});
    case CellKind::gru_reset_before:
      return phase == 0 ? f(CellType<ResetGates<T>>{}) : f(CellType<ResetCandidate<T>>{});
    case CellKind::simple_rnn:
      return f(CellType<SimpleRnnCell<T>>{});
  }
}

// MR rows of NP neighbouring panels: one row takes several panels at once to keep the FMA units
// busy.
template <class T, class Cell, int MR, int NP, class Ahead = NoFetch>
LF_INLINE void step_tile(const StepForward<T>& s, index row, index panel, const Ahead& ahead = {}) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates, kShift = Cell::kApart ? 1 : 0;
  if constexpr (Cell::kInRegisters && MR == 1) {
    Vec<T> acc[NP][1][G], sums[NP * G];
    input_sums<T, Cell>(s, row, panel, acc, ahead);
    recurrent_sums<T, Cell>(s, row, panel, acc, ahead);
    LF_UNROLL
    for (int j = 0; j < NP * G; ++j) sums[j] = acc[j / G][0][j % G];
    return Cell::template forward_row<NP, 0>(s, sums, row, panel);
  }
  alignas(64) T z[NP][MR * (G + kShift) * V];
  if (Cell::kApart && s.weights == nullptr) {
    for (int p = 0; p < NP; ++p)
      for (int m = 0; m < MR; ++m)
        for (int g = 0; g < Cell::kKept; ++g)
          Vec<T>::load(given_sums<T, Cell>(s, row + m, panel + p) + g * V)
              .store(z[p] + (g * MR + m) * V);
  } else {
    Vec<T> acc[NP][MR][G];
    input_sums<T, Cell>(s, row, panel, acc, ahead);
    if constexpr (Cell::kApart) {
      for (int p = 0; p < NP; ++p) LF_UNROLL
      for (int m = 0; m < MR; ++m)
        part_sums<G>(acc[p][m], recurrent_bias<T, Cell, G>(s, panel + p), z[p] + m * V);
    }
    recurrent_sums<T, Cell>(s, row, panel, acc, ahead);
    LF_UNROLL
    for (int p = 0; p < NP; ++p) LF_UNROLL
    for (int m = 0; m < MR; ++m) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][m][g].store(z[p] + ((kShift + g) * MR + m) * V);
  }
  for (int p = 0; p < NP; ++p) cell_rows<T, Cell>(s, z[p], row, MR, panel + p);
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
    // Twice as many where registers hold their sums: more loads are in flight, and the cells
    // overlap with those of the next panels, if there are any.
    constexpr int kMost = kRegisters >= 32 ? 2 * Cell::kPaired : Cell::kPaired;
    const auto tile = [&](auto np, index p) {
      step_tile<T, Cell, 1, decltype(np)::value>(s, s.row0, p);
    };
    const index left = panels.panel1 - panels.panel0 - Cell::kPaired;
    const bool most = kMost <= s.row_panels && kMost <= left;
    most ? for_panels<kMost>(panels, tile) : for_panels<Cell::kPaired>(panels, tile);
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

// step_with_tail() for so many panels before the tail and vectors of it.
template <class T, class Cell>
auto step_with_tail_of(index before, index vectors) -> void (*)(const StepForward<T>&) {
  void (*found)(const StepForward<T>&) = nullptr;
  with_size<kTogether + 1>(1 + before, [&](auto w) {
    with_size<Cell::kGates - 1>(vectors, [&](auto n) {
      found = step_with_tail<T, Cell, decltype(w)::value - 1, decltype(n)::value>;
    });
  });
  return found;
}

template <class T, class Cell>
void step_forward_cell(const StepForward<T>& s) {
  Panels whole{s.panel0, s.panel1, s.descending};
  if constexpr (Cell::kHasTail) {
    if (s.panel0 != s.panel1 && s.panel1 - 1 == s.tail_panel) {
      --whole.panel1;
      const index panels = whole.panel1 - whole.panel0;
      const bool one = s.row1 - s.row0 == 1;
      const index paired = !one || panels == 0 ? 0 : 2 - panels % 2;
      whole.panel1 -= paired;
      const auto tail = [&] {
        if (!one) return step_tail<T, Cell>(s);
        step_with_tail_of<T, Cell>(paired, s.tail.vectors)(s);
      };
      if (s.descending) tail();
      if (whole.panel0 != whole.panel1) step_panels<T, Cell>(s, whole);
      if (!s.descending) tail();
      return;
    }
  }
  step_panels<T, Cell>(s, whole);
}

template <class T>
void step_forward(const StepForward<T>& s) {
  with_cell<T>(s.cell, s.phase,
               [&](auto cell) { step_forward_cell<T, typename decltype(cell)::type>(s); });
}

// A step of one row whose NP panels, none of them a tail, are one tile.
template <class T, class Cell, int NP>
void step_of_one_tile(const StepForward<T>& s) {
  step_tile<T, Cell, 1, NP>(s, s.row0, s.panel0);
}

template <class T>
void step_function(const StepFunction<T>& f) {
  const StepForward<T>& s = *f.step;
  with_cell<T>(s.cell, s.phase, [&](auto cell) {
    using Cell = typename decltype(cell)::type;
    *f.function = step_forward_cell<T, Cell>;
    if constexpr (Cell::kInRegisters) {
      const bool ends = s.panel1 - 1 == s.tail_panel;
      const index panels = s.panel1 - s.panel0, whole = ends ? panels - 1 : panels;
      if (s.row1 - s.row0 != 1 || panels == 0 || whole > kTogether) return;
      if (!ends) {
        with_size<kTogether>(
            whole, [&](auto w) { *f.function = step_of_one_tile<T, Cell, decltype(w)::value>; });
        return;
      }
      *f.function = step_with_tail_of<T, Cell>(whole, s.tail.vectors);
    }
  });
}

template <class T>
void step_backward(const StepBackward<T>& s) {
  with_cell<T>(s.cell, s.phase, [&](auto cell) {
    for (index panel = s.panel0; panel < s.panel1; ++panel)
      decltype(cell)::type::backward(s, panel);
  });
}
