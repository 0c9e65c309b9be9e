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

// A function of its own, or its code would stand in every tile size.
template <class T, class Cell>
LF_NOINLINE void cell_rows(const StepForward<T>& s, T* z, index row, index rows, index panel) {
  Cell::forward(s, z, row, rows, panel);
}

// MR rows of NP neighbouring panels: one row takes two panels at once to keep the FMA units busy.
template <class T, class Cell, int MR, int NP>
LF_INLINE void step_tile(const StepForward<T>& s, index row, index panel) {
  constexpr int V = Vec<T>::kLanes, G = Cell::kGates;
  alignas(64) T z[NP][MR * G * V];
  {
    Vec<T> acc[NP][MR][G];
    const T* b[NP];
    const T* a[MR];
    LF_UNROLL
    for (int p = 0; p < NP; ++p) b[p] = s.weights + (panel + p) * s.weight_panel_stride;
    if (s.x) {
      LF_UNROLL
      for (int p = 0; p < NP; ++p) {
        load_bias<T, MR, G>(acc[p], b[p]);
        b[p] += G * V;
      }
      LF_UNROLL
      for (int m = 0; m < MR; ++m) a[m] = s.x + s.x_offsets[row + m];
      accumulate_panels<T, NP, MR, G>(acc, a, b, G * V, s.input);
    } else {
      for (int p = 0; p < NP; ++p)
        for (int m = 0; m < MR; ++m)
          for (int g = 0; g < G; ++g)
            acc[p][m][g] =
                Vec<T>::load(s.z_in + (panel + p) * s.z_panel_stride + ((row + m) * G + g) * V);
    }
    if (s.h_prev) {
      LF_UNROLL
      for (int p = 0; p < NP; ++p)
        b[p] = s.weights + (panel + p) * s.weight_panel_stride + (1 + s.input) * G * V;
      LF_UNROLL
      for (int m = 0; m < MR; ++m) a[m] = s.h_prev + (row + m) * s.h_prev_stride;
      accumulate_panels<T, NP, MR, G>(acc, a, b, G * V, s.recurrent);
    }
    LF_UNROLL
    for (int p = 0; p < NP; ++p) LF_UNROLL
    for (int m = 0; m < MR; ++m) LF_UNROLL
    for (int g = 0; g < G; ++g) acc[p][m][g].store(z[p] + (g * MR + m) * V);
  }
  for (int p = 0; p < NP; ++p) cell_rows<T, Cell>(s, z[p], row, MR, panel + p);
}

template <class T, class Cell>
void step_forward_cell(const StepForward<T>& s) {
  constexpr int kMax = tile_rows(Cell::kGates);
  if (s.row1 - s.row0 == 1) {
    for_panels<2>(
        s, [&](auto np, index p) { step_tile<T, Cell, 1, decltype(np)::value>(s, s.row0, p); });
    return;
  }
  const RowTiles tiles(s.row1 - s.row0, kMax);
  for_panels<1>(s, [&](auto, index p) {
    index row = s.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index rows = tiles.size(i);
      with_size<kMax>(rows,
                      [&](auto mr) { step_tile<T, Cell, decltype(mr)::value, 1>(s, row, p); });
      row += rows;
    }
  });
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
