// C = init + A B with B in panels; see Gemm in args.h.

template <class T, int MR, int NR>
LF_INLINE void gemm_tile(const Gemm<T>& g, index row, index panel) {
  constexpr int V = Vec<T>::kLanes;
  const T* a[MR];
  T* c[MR];
  LF_UNROLL
  for (int m = 0; m < MR; ++m) {
    a[m] = g.a + (g.a_offsets ? g.a_offsets[row + m] : (row + m) * g.a_stride);
    c[m] = g.c + panel * g.c_panel_stride +
           (g.c_offsets ? g.c_offsets[row + m] : (row + m) * g.c_stride);
  }
  const index valid = g.columns - panel * NR * V;  // columns of this panel that exist
  const bool full = valid >= NR * V;
  Vec<T> acc[1][MR][NR];
  if (!g.accumulate) {
    load_bias<T, MR, NR>(acc[0], g.bias ? g.bias + panel * g.bias_panel_stride : nullptr);
  } else {
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < NR; ++n) {
        const index left = valid - n * V;
        acc[0][m][n] = left >= V  ? Vec<T>::load(c[m] + n * V)
                       : left > 0 ? Vec<T>::load_part(c[m] + n * V, left)
                                  : Vec<T>::zero();
      }
  }
  const T* b[1] = {g.b + panel * g.b_panel_stride};
  for (index s = 0; s < g.segments; ++s) {
    accumulate_panels<T, 1, MR, NR>(acc, a, b, NR * V, g.segment);
    b[0] += g.segment * NR * V;
    LF_UNROLL
    for (int m = 0; m < MR; ++m) a[m] += g.segment_stride;
  }
  if (full) {
    LF_UNROLL
    for (int m = 0; m < MR; ++m) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) acc[0][m][n].store(c[m] + n * V);
    }
  } else {
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < NR; ++n) {
        const index left = valid - n * V;
        if (left >= V) {
          acc[0][m][n].store(c[m] + n * V);
        } else if (left > 0) {
          acc[0][m][n].store_part(c[m] + n * V, left);
        }
      }
  }
}

template <class T, int NR>
void gemm_panels(const Gemm<T>& g) {
  constexpr int kMax = tile_rows(NR);
  const RowTiles tiles(g.row1 - g.row0, kMax);
  for (index p = g.panel0; p < g.panel1; ++p) {
    index row = g.row0;
    for (index i = 0; i < tiles.count; ++i) {
      const index rows = tiles.size(i);
      with_size<kMax>(rows, [&](auto mr) { gemm_tile<T, decltype(mr)::value, NR>(g, row, p); });
      row += rows;
    }
  }
}

template <class T>
void gemm(const Gemm<T>& g) {
  with_size<4>(g.nr, [&](auto nr) { gemm_panels<T, decltype(nr)::value>(g); });
}
