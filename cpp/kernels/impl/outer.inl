// Gradients of packed panels: C[k][n] += sum over rows of A[row][k] B[row][n]; see PackColumns and
// Outer in args.h.

// Copies `n` elements, or zeros when there is no source.
template <class T>
LF_INLINE void copy_or_zero(const T* from, index n, T* to) {
  for (index j = 0; j < n; ++j) to[j] = from ? from[j] : T(0);
}

// Whole tiles of columns j .. j + tiles * MR, a few rows at a time, so that reads and writes are
// both close together.
template <class T, int MR>
LF_INLINE void pack_tiles(const PackColumns<T>& p, index j, index tiles, T* out) {
  constexpr index kRows = 16;
  for (index r0 = 0; r0 < p.rows; r0 += kRows) {
    const index r1 = r0 + kRows < p.rows ? r0 + kRows : p.rows;
    for (index t = 0; t < tiles; ++t) {
      T* to = out + (t * p.rows + r0) * MR;
      for (index r = r0; r < r1; ++r, to += MR) {
        const T* const from = p.source[r];
        if (from) {
          __builtin_memcpy(to, from + j + t * MR, MR * sizeof(T));
        } else {
          __builtin_memset(to, 0, MR * sizeof(T));
        }
      }
    }
  }
}

template <class T>
void pack_columns(const PackColumns<T>& p) {
  const index mr = p.mr, tile_size = p.rows * mr;
  const index lead = p.first % mr;  // columns of the first tile that others fill
  const index head = lead ? (mr - lead < p.k ? mr - lead : p.k) : 0;
  const index tiles = (p.k - head) / mr, tail = (p.k - head) % mr;
  T* out = p.out + p.first / mr * tile_size;
  if (head) {
    for (index r = 0; r < p.rows; ++r) copy_or_zero(p.source[r], head, out + r * mr + lead);
    out += tile_size;
  }
  with_size<8>(mr, [&](auto size) { pack_tiles<T, decltype(size)::value>(p, head, tiles, out); });
  if (!tail) return;
  out += tiles * tile_size;
  for (index r = 0; r < p.rows; ++r) {
    const T* const from = p.source[r];
    copy_or_zero(from ? from + p.k - tail : from, tail, out + r * mr);
  }
}

// A tail's gates: see PackGates in args.h. A vector is stored whole; the next gate or row
// overwrites what it wrote after its units.
template <class T>
void pack_gates(const PackGates<T>& p) {
  constexpr int V = Vec<T>::kLanes;
  T* out = p.out;
  for (index r = 0; r < p.rows; ++r, out += p.tail.vectors * V) {
    Vec<T>::zero().store(out + (p.tail.vectors - 1) * V);
    for (int g = 0; g < p.gates; ++g)
      Vec<T>::load(p.from + r * p.from_stride + g * V).store(out + g * p.tail.units);
  }
}

// Neighbouring tiles of SK columns each.
template <class T, int TILES, int SK, int NR>
LF_INLINE void outer_tile(const Outer<T>& o, index tile, index panel) {
  constexpr int V = Vec<T>::kLanes, MR = TILES * SK;
  const index valid = o.k - tile * SK;
  const T* packed = o.a + tile * o.rows * SK;
  const T* a[MR];
  LF_UNROLL
  for (int m = 0; m < MR; ++m) a[m] = packed + m / SK * o.rows * SK + m % SK;
  // Only parts of rows are apart, and these have one vector or two.
  const index stride = NR > 2 ? index(NR * V) : o.c_row_stride;
  const T* b[1] = {o.b + panel * o.b_panel_stride};
  Vec<T> acc[1][MR][NR];
  load_bias<T, MR, NR>(acc[0], nullptr);
  T* c = o.c + panel * o.c_panel_stride + tile * SK * stride;
  // Where the sum is long enough to hide it.
  for (int m = 0; o.rows >= 64 && m < MR && m < valid; ++m) {
    LF_UNROLL
    for (int n = 0; n < NR; ++n) __builtin_prefetch(c + m * stride + n * V, 1);
  }
  accumulate_panels<T, 1, MR, NR, SK>(acc, a, b, o.b_row_stride, o.rows);
  const auto store = [&](auto old) LF_INLINED {
    for (int m = 0; m < MR && m < valid; ++m) {
      LF_UNROLL
      for (int n = 0; n < NR; ++n) {
        T* p = c + m * stride + n * V;
        (old(p) + acc[0][m][n]).store(p);
      }
    }
  };
  o.overwrites ? store([](const T*) LF_INLINED { return Vec<T>::zero(); })
               : store([](const T* p) LF_INLINED { return Vec<T>::load(p); });
}

// Tiles of SK columns, as many at a time as give eight sums, which hide the latency of two FMA
// units.
template <class T, int SK, int NR>
void outer_tiles(const Outer<T>& o) {
  constexpr int kTiles = (8 + SK * NR - 1) / (SK * NR);
  for (index p = o.panel0; p < o.panel1; ++p) {
    index t = o.tile0;
    for (; t + kTiles <= o.tile1; t += kTiles) outer_tile<T, kTiles, SK, NR>(o, t, p);
    for (; t < o.tile1; ++t) outer_tile<T, 1, SK, NR>(o, t, p);
  }
}

template <class T>
void outer(const Outer<T>& o) {
  with_size<4>(o.nr, [&](auto nr) {
    constexpr int NR = decltype(nr)::value, kOwn = tile_rows(NR), kWidest = tile_rows(4);
    static_assert(tile_rows(3) == kWidest || NR == 4 || tile_rows(3) == kOwn, "of coupled gates");
    o.mr == kOwn ? outer_tiles<T, kOwn, NR>(o) : outer_tiles<T, kWidest, NR>(o);
  });
}

template <class T>
void reduce_rows(const ReduceRows<T>& r) {
  Vec<T> sum = Vec<T>::zero();
  for (index i = 0; i < r.rows; ++i) {
    const Vec<T> a = Vec<T>::load(r.a + i * r.a_stride);
    if (!r.b) {
      sum = sum + a;
      continue;
    }
    const index offset = r.b_offsets ? r.b_offsets[i] : i * r.b_stride;
    if (offset >= 0) sum = fma(a, Vec<T>::load(r.b + offset), sum);
  }
  (Vec<T>::load(r.out) + sum).store(r.out);
}
