// The sums of a time step, b + x W + h R, over a few rows and panels: see StepForward in
// lstm_args.h.

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

template <class T, class Cell>
LF_INLINE const T* given_sums(const StepForward<T>& s, index row, index panel) {
  return s.z_in + panel * s.z_panel_stride + row * Cell::kKept * Vec<T>::kLanes;
}

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
    accumulate_panels<T, NP, MR, N, 1, terms_at_a_time(MR)>(acc, a, b, kStride, s.input, ahead);
    return;
  }
  for (int p = 0; p < NP; ++p)
    for (int m = 0; m < MR; ++m)
      for (int n = 0; n < N; ++n)
        acc[p][m][n] =
            Vec<T>::load(given_sums<T, Cell>(s, row + m, panel + p) + (Cell::kFirst + n) * V);
}

// acc += h R.
template <class T, class Cell, int MR, int NP, int N, class Ahead>
LF_INLINE void recurrent_sums(const StepForward<T>& s, index row, index panel,
                              Vec<T> (&acc)[NP][MR][N], const Ahead& ahead) {
  constexpr int V = Vec<T>::kLanes;
  constexpr index kStride = kRowVectors<Cell, N> * V;
  if (!s.h_prev || !s.weights) return;
  const T* b[NP];
  const T* a[MR];
  LF_UNROLL
  for (int p = 0; p < NP; ++p)
    b[p] = s.weights + (panel + p) * s.weight_panel_stride + recurrent_row<T, Cell>(s) * kStride +
           Cell::kFirst * V;
  LF_UNROLL
  for (int m = 0; m < MR; ++m) a[m] = s.h_prev + (row + m) * s.h_prev_stride;
  accumulate_panels<T, NP, MR, N, 1, terms_at_a_time(MR)>(acc, a, b, kStride, s.recurrent,
                                                          ahead.after(s.input));
}

// The bias of h R of a panel whose rows have N vectors.
template <class T, class Cell, int N>
LF_INLINE const T* recurrent_bias(const StepForward<T>& s, index panel) {
  return s.weights + panel * s.weight_panel_stride + (s.input + 1) * N * Vec<T>::kLanes;
}

// Where x W and h R are apart: from the sums of x W, of which the first is the candidate's and goes
// to x_part, to what those of h R begin with. Its sums are those of the gates after the first, then
// the candidate's own.
template <int N, class T>
LF_INLINE void part_sums(Vec<T>* acc, const T* bias, T* x_part) {
  constexpr int V = Vec<T>::kLanes;
  acc[0].store(x_part);
  LF_UNROLL
  for (int n = 0; n + 1 < N; ++n) acc[n] = acc[n + 1] + Vec<T>::load(bias + n * V);
  acc[N - 1] = Vec<T>::load(bias + (N - 1) * V);
}
