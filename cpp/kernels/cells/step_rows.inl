// What every cell reads and writes of one row of a step, V units at a time: see StepForward and
// StepBackward. `left`: units from this panel on.

// How the sums of a cell's step lie in the weights and in what training keeps: kGates vectors of a
// row of weights, which has kRow, from vector kFirst on; z [gate][row][V] is what the cell gets. A
// base of cells, which may differ:
template <int G>
struct SumsOfCell {
  static constexpr int kGates = G, kRow = G, kFirst = 0;
  static constexpr int kKept = G;  // vectors of a row of StepForward::gates
  // Whether the first gate of x W and the last of h R, the candidate's two parts, are not added: z
  // then has kGates + 1 sums, and h R a bias of its own.
  static constexpr bool kApart = false;
  static constexpr bool kHasTail = true;
  // Panels of a tile, of one row and of several: as many as keep the FMA units busy.
  static constexpr int kPaired = 2, kWide = 1;
  // Whether the cell has forward_row(), for the sums of one row in registers.
  static constexpr bool kInRegisters = false;
};

// Gate g of a tail's N sums, 0 after its units: it begins in vector `at` and ends there or in the
// next.
template <int N, class T>
LF_INLINE Vec<T> tail_gate(const Vec<T>* sums, int g, index units) {
  const int at = N == 3 && g >= 2 ? 1 : 0;
  const Vec<T> next = sums[at + 1 < N ? at + 1 : at];
  return window(sums[at], next, g * units - at * index(Vec<T>::kLanes), units);
}

template <class T>
LF_INLINE Vec<T> previous_c(const StepForward<T>& s, index row, index panel) {
  if (!s.c_prev || (s.reset && s.reset[row])) return Vec<T>::zero();
  return Vec<T>::load(s.c_prev + panel * s.c_prev_panel_stride + row * Vec<T>::kLanes);
}

template <class T>
LF_INLINE void store_h(const StepForward<T>& s, index row, index panel, index left, Vec<T> h) {
  constexpr int V = Vec<T>::kLanes;
  h.store(s.h + row * s.h_stride + panel * V);
  if (s.y) store_up_to(h, s.y + s.y_offsets[row] + panel * V, left);
}

template <class T>
LF_INLINE void store_step(const StepForward<T>& s, index row, index panel, index left, Vec<T> c,
                          Vec<T> h) {
  constexpr int V = Vec<T>::kLanes;
  c.store(s.c + panel * s.c_panel_stride + row * V);
  store_h(s, row, panel, left, h);
  if (s.cells) store_up_to(c, s.cells + s.cells_offsets[row] + panel * V, left);
}

// h = o tanh(c) of N rows, o and c [N][V]. Three rows are interleaved to hide the latency of tanh.
template <class T, int N>
LF_INLINE void show_next(const StepForward<T>& s, const T* c, const T* o, index row, index panel) {
  constexpr int V = Vec<T>::kLanes;
  Vec<T> y[N];
  LF_UNROLL
  for (int j = 0; j < N; ++j) y[j] = Vec<T>::load(c + j * V);
  squash<(1u << N) - 1>(y);
  LF_UNROLL
  for (int j = 0; j < N; ++j)
    store_step(s, row + j, panel, s.hidden - panel * V, Vec<T>::load(c + j * V),
               Vec<T>::load(o + j * V) * y[j]);
}

// The rows of a panel for a cell whose output is o tanh(c): open(m, o) gives c of row m, and its o.
// `c` and `o` [n][V] are scratch; open(m) must not read their rows below m.
template <class T, class Open>
LF_INLINE void for_rows(const StepForward<T>& s, index row, index n, index panel, T* c, T* o,
                        Open open) {
  constexpr int V = Vec<T>::kLanes;
  Vec<T> o_m;
  if (n == 1) {  // the latency of one row's chain counts, so nothing goes through memory
    const Vec<T> c_m = open(0, o_m);
    return store_step(s, row, panel, s.hidden - panel * V, c_m, o_m * tanh(c_m));
  }
  for (index m = 0; m < n; ++m) {
    open(m, o_m).store(c + m * V);
    o_m.store(o + m * V);
  }
  index m = 0;
  for (; m + 3 <= n; m += 3) show_next<T, 3>(s, c + m * V, o + m * V, row + m, panel);
  if (n - m == 2) show_next<T, 2>(s, c + m * V, o + m * V, row + m, panel);
  if (n - m == 1) show_next<T, 1>(s, c + m * V, o + m * V, row + m, panel);
}

template <class T>
LF_INLINE Vec<T> previous_c(const StepBackward<T>& s, index row, index panel) {
  if (!s.c_prev || (s.reset && s.reset[row])) return Vec<T>::zero();
  return Vec<T>::load(s.c_prev + panel * s.c_panel_stride + row * Vec<T>::kLanes);
}

template <class T>
LF_INLINE Vec<T> gradient_of_h(const StepBackward<T>& s, index row, index panel, index left) {
  constexpr int V = Vec<T>::kLanes;
  const Vec<T> dh = s.dh ? Vec<T>::load(s.dh + row * s.dh_stride + panel * V) : Vec<T>::zero();
  return s.dy ? dh + load_up_to(s.dy + s.dy_offsets[row] + panel * V, left) : dh;
}

template <class T>
LF_INLINE Vec<T> gradient_of_c(const StepBackward<T>& s, index row, index panel, index left) {
  constexpr int V = Vec<T>::kLanes;
  const Vec<T> dc = Vec<T>::load(s.dc + panel * s.dc_panel_stride + row * V);
  return s.dcells ? dc + load_up_to(s.dcells + s.dcells_offsets[row] + panel * V, left) : dc;
}

// Hardware prefetching follows the rows of a panel, but not from panel to panel or step to step.
template <class T, int G>
LF_INLINE void fetch_next(const StepBackward<T>& s, index row, index panel) {
  constexpr int V = Vec<T>::kLanes;
  const bool more = panel + 1 < s.panel1;
  const index next = more ? panel + 1 : s.panel0, at = more ? row : row - s.rows_before;
  const T* gates = s.gates + next * s.gate_panel_stride + at * G * V;
  LF_UNROLL
  for (int g = 0; g < G; ++g) __builtin_prefetch(gates + g * V, 1);
  if (s.c_prev) __builtin_prefetch(s.c_prev + next * s.c_panel_stride + at * V);
  if (more && s.dy) __builtin_prefetch(s.dy + s.dy_offsets[row] + next * V);
}

// Clears padding lanes: an infinite x makes them NaN, and later products would spread their dz.
template <class T, int G>
LF_INLINE void store_gradients(const StepBackward<T>& s, index row, index panel, index left,
                               Vec<T> (&dz)[G], Vec<T> dc_prev) {
  constexpr int V = Vec<T>::kLanes;
  if (left < V) {
    const Mask<T> units = lanes_below<T>(left);
    for (int g = 0; g < G; ++g) dz[g] = select(units, dz[g], Vec<T>::zero());
    dc_prev = select(units, dc_prev, Vec<T>::zero());
  }
  T* gates = s.gates + panel * s.gate_panel_stride + row * G * V;
  for (int g = 0; g < G; ++g) dz[g].store(gates + g * V);
  if (s.fetches) fetch_next<T, G>(s, row, panel);
  const bool reset = s.reset && s.reset[row];
  (reset ? Vec<T>::zero() : dc_prev).store(s.dc + panel * s.dc_panel_stride + row * V);
}
