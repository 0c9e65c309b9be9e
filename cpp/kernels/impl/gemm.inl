// C = init + A B with B in panels; see Gemm in args.h.

// MR rows of NP neighbouring panels, and segments s0 .. s1 of the sum.
template <class T, int NP, int MR, int NR, class Ahead = NoFetch>
LF_INLINE void gemm_tile(const Gemm<T>& g, index row, index panel, index s0, index s1,
                         const Ahead& ahead = {}) {
  constexpr int V = Vec<T>::kLanes;
  const T *a[MR], *b[NP];
  Vec<T> acc[NP][MR][NR];
  T* c[NP][MR];
  LF_UNROLL
  for (int p = 0; p < NP; ++p) {
    LF_UNROLL
    for (int m = 0; m < MR; ++m)
      c[p][m] = g.c + (panel + p) * g.c_panel_stride +
                (g.c_offsets ? g.c_offsets[row + m] : (row + m) * g.c_stride);
  }
  LF_UNROLL
  for (int m = 0; m < MR; ++m)
    a[m] =
        g.a + (g.a_offsets ? g.a_offsets[row + m] : (row + m) * g.a_stride) + s0 * g.segment_stride;
  for (int p = 0; p < NP; ++p) {
    b[p] = g.b + (panel + p) * g.b_panel_stride + s0 * g.segment * NR * V;
    if (!g.accumulate && s0 == 0) {
      load_bias<T, MR, NR>(acc[p], g.bias ? g.bias + (panel + p) * g.bias_panel_stride : nullptr);
      continue;
    }
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < NR; ++n) {
        const index left = g.columns - ((panel + p) * NR + n) * V;
        acc[p][m][n] = left > 0 ? load_up_to(c[p][m] + n * V, left) : Vec<T>::zero();
      }
  }
  index done = 0;
  const auto run = [&](index k, index next) LF_INLINED {
    accumulate_panels<T, NP, MR, NR, 1, terms_at_a_time(MR)>(acc, a, b, NR * V, k,
                                                             ahead.after(done));
    done += k;
    LF_UNROLL
    for (int p = 0; p < NP; ++p) b[p] += next * NR * V;
  };
  const bool fetches = g.a_next && panel == g.panel0;
  const bool short_runs = g.last_units && s1 == g.segments;
  for (index s = s0 + (short_runs ? 1 : 0); s < s1; ++s) {
    for (index k = 0; fetches && k < g.segment; k += V) {
      LF_UNROLL
      for (int m = 0; m < MR; ++m) __builtin_prefetch(a[m] + g.a_next + k, 1, 2);
    }
    run(g.segment, g.segment);
    LF_UNROLL
    for (int m = 0; m < MR; ++m) a[m] += g.segment_stride;
  }
  for (index k = 0; short_runs && k < g.segment; k += V) {
    run(g.last_units, V);
    LF_UNROLL
    for (int m = 0; m < MR; ++m) a[m] += V;
  }
  for (int p = 0; p < NP; ++p) {
    const index valid = g.columns - (panel + p) * NR * V;  // columns of this panel that exist
    if (valid >= NR * V) {
      LF_UNROLL
      for (int m = 0; m < MR; ++m) {
        LF_UNROLL
        for (int n = 0; n < NR; ++n) acc[p][m][n].store(c[p][m] + n * V);
      }
      continue;
    }
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < NR && n * V < valid; ++n)
        store_up_to(acc[p][m][n], c[p][m] + n * V, valid - n * V);
  }
}

// What is read after segments .. s1 of panel p, to be fetched; null: nothing.
template <class T>
LF_INLINE const T* next_part(const Gemm<T>& g, index p, index s1) {
  if (s1 < g.segments) return g.b + p * g.b_panel_stride + s1 * g.segment * g.nr * Vec<T>::kLanes;
  const index next = g.descending ? p - 1 : p + 1;
  return next >= g.panel0 && next < g.panel1 ? g.b + next * g.b_panel_stride : nullptr;
}

template <class T, int NR>
void gemm_panels(const Gemm<T>& g) {
  constexpr int kMax = tile_rows(NR);
  if (g.row1 - g.row0 == 1) {
    for_panels<2>(g, [&](auto np, index p) {
      gemm_tile<T, decltype(np)::value, 1, NR>(g, g.row0, p, 0, g.segments);
    });
    return;
  }
  const RowTiles tiles(g.row1 - g.row0, kMax);
  const index step = g.rest ? g.rest : g.segments;
  for_panels<1>(g, [&](auto, index p) {
    for (index s0 = 0; s0 < g.segments; s0 += step) {
      const index s1 = s0 + step < g.segments ? s0 + step : g.segments;
      const T* const next = g.fetches ? next_part(g, p, s1) : nullptr;
      index row = g.row0;
      for (index i = 0; i < tiles.count; ++i) {
        const index rows = tiles.size(i);
        with_size<kMax>(rows, [&](auto mr) LF_INLINED {
          constexpr int MR = decltype(mr)::value;
          const index part = tiles.part(i, NR);
          if constexpr (NR == 4 && MR >= kMax - 1) {
            if (next && part >= 0) {
              const Fetch<T> ahead{next + part * (s1 - s0) * g.segment * Vec<T>::kLanes};
              return gemm_tile<T, 1, MR, NR>(g, row, p, s0, s1, ahead);
            }
          }
          gemm_tile<T, 1, MR, NR>(g, row, p, s0, s1);
        });
        row += rows;
      }
    }
  });
}

template <class T>
LF_NOINLINE void gemm_in_panels(const Gemm<T>& g) {
  with_size<4>(g.nr, [&](auto nr) { gemm_panels<T, decltype(nr)::value>(g); });
}

template <class T>
void gemm(const Gemm<T>& g) {
  g.columns_of_b ? dots(g) : gemm_in_panels(g);
}
