// C = init + A B with B in bfloat16 or int8: see Reduced and Gemm in args.h.

// Few, for the vectors of a group need registers too.
constexpr int kReducedRows = kRegisters >= 32 ? 4 : 2;

// What whole numbers of A are stored as.
template <int N>
struct Stored {
  using type = short;
};
template <>
struct Stored<4> {
  using type = unsigned char;  // offset, so that they have no sign
};
using Whole8 = Stored<kGroup>::type;
constexpr int kOffset = kGroup == 4 ? 128 : 0;

constexpr unsigned kHighHalf = 0xffff0000;
constexpr unsigned kHighHalves[16] = {
    kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf,
    kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf, kHighHalf};

typedef int Word __attribute__((may_alias));  // what is stored as something else

// Where the rows and panels of a tile lie.
template <int NP, int MR, int NR>
struct ReducedTile {
  static constexpr int V = F32::kLanes;
  const Gemm<float>& g;
  const index row, panel;

  LF_INLINE const float* a(int m) const {
    return g.a + (g.a_offsets ? g.a_offsets[row + m] : (row + m) * g.a_stride);
  }
  LF_INLINE const unsigned char* b(int p) const {
    return g.reduced.panels + (panel + p) * g.reduced.panel_bytes;
  }
  LF_INLINE float* c(int p, int m) const {
    return g.c + (panel + p) * g.c_panel_stride +
           (g.c_offsets ? g.c_offsets[row + m] : (row + m) * g.c_stride);
  }
  LF_INLINE F32 bias(int p, int n) const {
    return g.bias ? F32::load(g.bias + (panel + p) * g.bias_panel_stride + n * V) : F32::zero();
  }
  // f(n, C of the vector, a Whole or a First) for the vectors of row m that have columns.
  template <class F>
  LF_INLINE void for_columns(int p, int m, F f) const {
    const index left = g.columns - (panel + p) * g.reduced.vectors * V;
    if (left >= NR * V) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) f(n, c(p, m) + n * V, Whole<float>{});
      return;
    }
    for (int n = 0; n * V < left; ++n) {
      const index columns = left - n * V;
      columns >= V ? f(n, c(p, m) + n * V, Whole<float>{})
                   : f(n, c(p, m) + n * V, First<float>{columns});
    }
  }
};

// Two rows of bfloat16 lie in the halves of a lane, so that each is a float after one operation.
// The sums have the order and the bits of float weights of the same values.
template <int NP, int MR, int NR>
LF_INLINE void bfloat16_tile(const Gemm<float>& g, index row, index panel) {
  constexpr int V = F32::kLanes;
  const ReducedTile<NP, MR, NR> tile{g, row, panel};
  const F32 high = F32::load((const float*)kHighHalves);
  const float *a[MR], *b[NP];
  F32 acc[NP][MR][NR];
  LF_UNROLL
  for (int m = 0; m < MR; ++m) a[m] = tile.a(m);
  for (int p = 0; p < NP; ++p) {
    b[p] = (const float*)tile.b(p) + g.reduced.first * V;
    for (int m = 0; m < MR; ++m) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) acc[p][m][n] = tile.bias(p, n);
      if (g.accumulate) {
        tile.for_columns(p, m, [&](int n, const float* c, auto part) LF_INLINED {
          acc[p][m][n] = part.load(c);
        });
      }
    }
  }
  const index step = g.reduced.vectors * V;  // from group to group
  const auto add = [&](index k, index at, auto rows) LF_INLINED {
    constexpr int kRows = decltype(rows)::value;
    F32 x[kRows][MR];
    LF_UNROLL
    for (int i = 0; i < kRows; ++i) LF_UNROLL
    for (int m = 0; m < MR; ++m) x[i][m] = F32::set(a[m][k + i]);
    LF_UNROLL
    for (int p = 0; p < NP; ++p) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) {
        F32 both = F32::load(b[p] + at + n * V);
        // Of one row: so many operations follow each load that few loads are in flight at a time.
        if (MR == 1 && kRows == 2) __builtin_prefetch(b[p] + at + 4 * step + n * V, 0, 3);
        LF_IN_REGISTER(both.v);  // or each row would load it again
        LF_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const F32 w = i == 0 ? shift_left(both, 16) : bit_and(both, high);
          LF_UNROLL
          for (int m = 0; m < MR; ++m) acc[p][m][n] = fma(x[i][m], w, acc[p][m][n]);
        }
      }
    }
  };
  index k = 0, at = 0;
  for (; k + 2 <= g.segment; k += 2, at += step) add(k, at, Size<2>{});
  if (k < g.segment) add(k, at, Size<1>{});
  LF_UNROLL
  for (int p = 0; p < NP; ++p) {
    LF_UNROLL
    for (int m = 0; m < MR; ++m) {
      tile.for_columns(p, m,
                       [&](int n, float* c, auto part) LF_INLINED { part.store(acc[p][m][n], c); });
    }
  }
}

template <int NP, int MR, int NR>
LF_INLINE void int8_tile(const Gemm<float>& g, index row, index panel) {
  constexpr int V = F32::kLanes;
  const ReducedTile<NP, MR, NR> tile{g, row, panel};
  const Word* a[MR];
  const signed char* b[NP];
  Ints acc[NP][MR][NR];
  LF_UNROLL
  for (int m = 0; m < MR; ++m)
    a[m] = (const Word*)(g.reduced.rows + (row + m) * g.reduced.row_bytes);
  LF_UNROLL
  for (int p = 0; p < NP; ++p) {
    const int* const start = (const int*)tile.b(p) + (g.reduced.vectors + g.reduced.first) * V;
    b[p] = (const signed char*)tile.b(p) + g.reduced.vectors * V * 2 * (index)sizeof(int) +
           g.reduced.first * V * kGroup;
    LF_UNROLL
    for (int m = 0; m < MR; ++m) LF_UNROLL
    for (int n = 0; n < NR; ++n)
      acc[p][m][n] = g.segment > 0 ? Ints::load(start + n * V) : Ints::set(0);
  }
  const index groups = (g.segment + kGroup - 1) / kGroup;
  const index step = g.reduced.vectors * V * kGroup;
  const auto add = [&](index k, index at) LF_INLINED {
    Ints x[MR];
    LF_UNROLL
    for (int m = 0; m < MR; ++m) x[m] = Ints::set(a[m][k]);
    LF_UNROLL
    for (int p = 0; p < NP; ++p) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) {
        const Ints w = load_group(b[p] + at + n * V * kGroup);
        LF_UNROLL
        for (int m = 0; m < MR; ++m) acc[p][m][n] = add_products(acc[p][m][n], x[m], w);
      }
    }
  };
  index k = 0, at = 0;
  for (; MR == 1 && k + 4 <= groups; k += 4, at += 4 * step) {
    LF_UNROLL
    for (int i = 0; i < 4; ++i) add(k + i, at + i * step);
  }
  for (; k < groups; ++k, at += step) add(k, at);
  for (int p = 0; p < NP; ++p) {
    for (int m = 0; m < MR; ++m) {
      const F32 scale = F32::set(g.reduced.row_scales[row + m]);
      tile.for_columns(p, m, [&](int n, float* c, auto part) LF_INLINED {
        const bool adds = g.accumulate && n < NR - g.reduced.fresh;
        const F32 sum = to_floats(acc[p][m][n]);
        F32 t = adds ? fma(scale, sum, part.load(c)) : scale * sum;
        if (n < g.reduced.scaled) {
          F32 bias = tile.bias(p, n);
          if (adds && g.reduced.more_bias)
            bias =
                bias + F32::load(g.reduced.more_bias + (panel + p) * g.bias_panel_stride + n * V);
          t = fma(t, F32::load((const float*)tile.b(p) + (g.reduced.first + n) * V), bias);
        }
        part.store(t, c);
      });
    }
  }
}

// A row of A as whole numbers from -127 to 127: its largest element becomes one of these two. One
// that is not finite makes the scale NaN.
LF_INLINE void quantize_row(const float* x, index count, Whole8* out, float& row_scale) {
  constexpr int V = F32::kLanes;
  F32 most = F32::zero(), wrong = F32::zero();
  for_vectors<float>(count, [&](index j, auto part) LF_INLINED {
    const F32 v = part.load(x + j);
    most = max(most, abs(v));
    wrong = wrong + (v - v);
  });
  const float m = by_halves(most, [](float a, float b) LF_INLINED { return b > a ? b : a; });
  const float error = sum_by_halves(wrong);
  const float factor = 127.0f / m;
  const bool empty = !(factor <= __FLT_MAX__);  // all but 0, or wrong
  row_scale = (empty ? 0 : m / 127.0f) + error;
  const F32 by = F32::set(empty ? 0 : factor);
  for_vectors<float>(count, [&](index j, auto part) LF_INLINED {
    int whole[V];
    to_ints(round(part.load(x + j) * by)).store(whole);
    for (int i = 0; i < V; ++i) out[j + i] = Whole8(whole[i] + kOffset);
  });
}

template <bool kInt8, int NR>
void reduced_panels(const Gemm<float>& g) {
  const auto run = [&](auto np, auto mr, index row, index panel) LF_INLINED {
    constexpr int NP = decltype(np)::value, MR = decltype(mr)::value;
    if constexpr (kInt8) {
      int8_tile<NP, MR, NR>(g, row, panel);
    } else {
      bfloat16_tile<NP, MR, NR>(g, row, panel);
    }
  };
  if (g.row1 - g.row0 == 1) {
    // Several panels side by side keep more loads in flight; of bfloat16 from beyond L2, where it
    // is fetched ahead, more than two are slower (measured on a Zen 5).
    constexpr int kMost = kRegisters >= 32 ? 4 : 2;
    const auto tile = [&](auto np, index p) { run(np, Size<1>{}, g.row0, p); };
    const bool near = kInt8 || (g.panel1 - g.panel0) * g.reduced.panel_bytes <= g.reduced.l2;
    near ? for_panels<kMost>(g, tile) : for_panels<2>(g, tile);
    return;
  }
  const RowTiles tiles(g.row1 - g.row0, kReducedRows);
  for_panels<1>(g, [&](auto np, index p) {
    index row = g.row0;
    for (index i = 0; i < tiles.count; ++i) {
      with_size<kReducedRows>(tiles.size(i), [&](auto mr) LF_INLINED { run(np, mr, row, p); });
      row += tiles.size(i);
    }
  });
}

void reduced_product(const Gemm<float>& g) {
  const bool int8 = g.reduced.precision == Precision::int8;
  for (index r = g.row0; int8 && r < g.row1; ++r) {
    const float* const row =
        g.segment == 0 ? nullptr : g.a + (g.a_offsets ? g.a_offsets[r] : r * g.a_stride);
    quantize_row(row, g.segment, (Whole8*)(g.reduced.rows + r * g.reduced.row_bytes),
                 g.reduced.row_scales[r]);
  }
  with_size<4>(g.nr, [&](auto nr) {
    constexpr int NR = decltype(nr)::value;
    int8 ? reduced_panels<true, NR>(g) : reduced_panels<false, NR>(g);
  });
}
