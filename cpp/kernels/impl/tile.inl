// The one inner loop of every matrix product: an MR x NR block of accumulators stays in registers
// while k runs.

// Rows of a tile with NR vectors each, so that accumulators, NR loaded vectors and the broadcasts
// fit the registers.
constexpr int tile_rows(int nr) {
  return kRegisters >= 32 ? (nr == 4 ? 6 : 8) : (nr == 1 ? 6 : nr == 2 ? 4 : 3);
}

// What a sum prefetches with each of its terms: nothing, or a vector of what is read later, into
// L2.
struct NoFetch {
  LF_INLINE void operator()(index) const {}
  LF_INLINE NoFetch after(index) const { return {}; }
};
template <class T>
struct Fetch {
  const T* from;
  LF_INLINE void operator()(index k) const { __builtin_prefetch(from + k * Vec<T>::kLanes, 0, 2); }
  LF_INLINE Fetch after(index terms) const { return {from + terms * Vec<T>::kLanes}; }
};

// Terms per iteration of a loop over a sum, for tiles of so many rows. One row is limited by loads
// of weights: fewer instructions for each keep more loads in flight.
constexpr int terms_at_a_time(int rows) { return rows == 1 ? 4 : 1; }

// acc[p][m][n] += a[m][k * SK] * b[p][k][n], k ascending: the order of terms is fixed, whatever NP
// and MR are. `Terms` terms per iteration of the loop.
template <class T, int NP, int MR, int NR, int SK = 1, int Terms = 1, class Ahead = NoFetch>
LF_INLINE void accumulate_panels(Vec<T> (&acc)[NP][MR][NR], const T* const (&a)[MR],
                                 const T* const (&b)[NP], index b_stride, index k_count,
                                 const Ahead& ahead = {}) {
  const auto add = [&](index k, index j) LF_INLINED {
    ahead(k);
    if constexpr (NP == 1 && MR * NR + MR + 1 > kRegisters) {  // no room for all x next to one w
      Vec<T> w[NR];
      LF_UNROLL
      for (int n = 0; n < NR; ++n) w[n] = Vec<T>::load(b[0] + j + n * Vec<T>::kLanes);
      LF_UNROLL
      for (int m = 0; m < MR; ++m) {
        const Vec<T> x = Vec<T>::set(a[m][k * SK]);
        LF_UNROLL
        for (int n = 0; n < NR; ++n) acc[0][m][n] = fma(x, w[n], acc[0][m][n]);
      }
    } else {
      Vec<T> x[MR];
      LF_UNROLL
      for (int m = 0; m < MR; ++m) x[m] = Vec<T>::set(a[m][k * SK]);
      LF_UNROLL
      for (int p = 0; p < NP; ++p) {
        LF_UNROLL
        for (int n = 0; n < NR; ++n) {
          Vec<T> w = Vec<T>::load(b[p] + j + n * Vec<T>::kLanes);
          if constexpr (MR > 1) LF_IN_REGISTER(w.v);  // or each row would load it again
          LF_UNROLL
          for (int m = 0; m < MR; ++m) acc[p][m][n] = fma(x[m], w, acc[p][m][n]);
        }
      }
    }
  };
  index k = 0, j = 0;
  for (; Terms > 1 && k + Terms <= k_count; k += Terms, j += Terms * b_stride) {
    LF_UNROLL
    for (int i = 0; i < Terms; ++i) add(k + i, j + i * b_stride);
  }
  for (; k < k_count; ++k, j += b_stride) add(k, j);
}

template <class T, int MR, int NR>
LF_INLINE void load_bias(Vec<T> (&acc)[MR][NR], const T* bias) {
  LF_UNROLL
  for (int n = 0; n < NR; ++n) {
    const Vec<T> b = bias ? Vec<T>::load(bias + n * Vec<T>::kLanes) : Vec<T>::zero();
    LF_UNROLL
    for (int m = 0; m < MR; ++m) acc[m][n] = b;
  }
}

// Splits rows row0 .. row1 into tiles of at most `max` rows, as even as possible (32 rows by 6: 5 5
// 5 5 6 6, not 6 6 6 6 6 2).
struct RowTiles {
  index count, small, larger;  // `larger` tiles of small + 1 rows come last
  LF_INLINE RowTiles(index rows, index max)
      : count((rows + max - 1) / max),
        small(count ? rows / count : 0),
        larger(count ? rows % count : 0) {}
  LF_INLINE index size(index i) const { return i < count - larger ? small : small + 1; }
  // The part, of `parts`, of what is read next that tile i fetches: each of the last tiles fetches
  // one; negative: none.
  LF_INLINE index part(index i, index parts) const {
    return count > parts ? i - (count - parts) : i;
  }
};

template <int N>
struct Size {
  static constexpr int value = N;
};

// Calls f(Size<n>) for the run-time n in 1 .. Max.
template <int Max, class F>
LF_INLINE void with_size(index n, F&& f) {
  if constexpr (Max == 1) {
    f(Size<1>{});
  } else {
    if (n == Max) {
      f(Size<Max>{});
    } else {
      with_size<Max - 1>(n, (F&&)f);
    }
  }
}

// The panels of a call. Passed next to it: copying a call right after the caller's stores stalls on
// store forwarding.
struct Panels {
  index panel0, panel1;
  bool descending;
};

// Calls f(Size<n>, first panel) for the panels of a call: n is kPanels, a power of two, where there
// are so many, and then half as many.
template <int kPanels, class Call, class F>
LF_INLINE void for_panels(const Call& call, F&& f) {
  const index count = call.panel1 - call.panel0, groups = count / kPanels * kPanels;
  const auto remainder = [&] {
    if constexpr (kPanels > 1) {
      for_panels<kPanels / 2>(Panels{call.panel0 + groups, call.panel1, call.descending}, f);
    }
  };
  if (call.descending) remainder();
  for (index i = 0; i < groups; i += kPanels)
    f(Size<kPanels>{}, call.descending ? call.panel0 + groups - kPanels - i : call.panel0 + i);
  if (!call.descending) remainder();
}
