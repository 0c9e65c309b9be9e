// The gated recurrent unit whose reset gate acts on the product of h.
//   z = s(z_z), r = s(z_r), g = a(x_g + r q),  h = z h_prev + (1 - z) g
// x_g is the candidate's part of b + x W, and q that of its own bias + h R. c of the step is h, so
// that the previous h comes in panels. Sums: x_g, z, r, q; training keeps g, z, r, q (or what
// enters the activation, where its slope needs that), and backward leaves dx_g, dz, dr, dq.

// The rows of a block of a cell with activations chosen at run time.
template <class T>
struct RowBlock {
  static constexpr int V = Vec<T>::kLanes, kRows = 8;
  struct alignas(64) Vectors {
    T at[kRows * V];
    LF_INLINE Vec<T> operator[](index m) const { return Vec<T>::load(at + m * V); }
    LF_INLINE void set(index m, Vec<T> v) { v.store(at + m * V); }
  };

  // The value of n vectors that training keeps: their own memory, or `room`, computed again.
  static const T* reopen(const ActivationSpec& spec, index n, const T* kept, T* room) {
    if (!needs_input(spec)) return kept;
    map<T>({spec, n * V, kept, room});
    return room;
  }
};

// Whether a gated unit has the usual activations, so that its cell runs in registers.
LF_INLINE bool has_usual_activations(const CellOptions& o) {
  return o.activation.kind == Activation::tanh &&
         o.recurrent_activation.kind == Activation::sigmoid;
}

template <class T>
struct GruCell : SumsOfCell<3> {
  static constexpr int kKept = 4, V = Vec<T>::kLanes;
  static constexpr bool kApart = true;
  using Block = RowBlock<T>;

  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    if (!has_usual_activations(*s.cell.options)) return general_forward(s, z, row, n, panel);
    index m = 0;
    for (; m + 3 <= n; m += 3) usual_rows<3>(s, z + m * V, row + m, n, panel);
    if (n - m == 2) usual_rows<2>(s, z + m * V, row + m, n, panel);
    if (n - m == 1) usual_rows<1>(s, z + m * V, row + m, n, panel);
  }

  static void backward(const StepBackward<T>& s, index panel) {
    if (!has_usual_activations(*s.cell.options)) return general_backward(s, panel);
    const Vec<T> one = Vec<T>::set(T(1));
    const index left = s.hidden - panel * V;
    for (index row = s.row0; row < s.row1; ++row) {
      const T* kept = s.gates + panel * s.gate_panel_stride + row * kKept * V;
      Vec<T> a[kKept];
      LF_UNROLL
      for (int g = 0; g < kKept; ++g) a[g] = Vec<T>::load(kept + g * V);
      const Vec<T> g = a[0], z = a[1], r = a[2], q = a[3];
      const Vec<T> d = gradient_of_h(s, row, panel, left) + gradient_of_c(s, row, panel, left);
      a[0] = d * (one - z) * fnma(g, g, one);
      a[1] = d * (previous_c(s, row, panel) - g) * (z * (one - z));
      a[2] = a[0] * q * (r * (one - r));
      a[3] = a[0] * r;
      store_gradients<T, kKept>(s, row, panel, left, a, d * z);
    }
  }

 private:
  // N rows of z [sum][n][V], interleaved to hide the latency of their functions.
  template <int N>
  static LF_INLINE void usual_rows(const StepForward<T>& s, const T* z, index row, index n,
                                   index panel) {
    Vec<T> gates[2 * N], g[N];
    const auto sum = [&](int k, int j) LF_INLINED { return Vec<T>::load(z + (k * n + j) * V); };
    LF_UNROLL
    for (int j = 0; j < N; ++j) {
      gates[j] = sum(1, j);
      gates[N + j] = sum(2, j);
    }
    squash<0>(gates);
    LF_UNROLL
    for (int j = 0; j < N; ++j) g[j] = fma(gates[N + j], sum(3, j), sum(0, j));
    squash<(1u << N) - 1>(g);
    LF_UNROLL
    for (int j = 0; j < N; ++j) {
      const Vec<T> h = fma(gates[j], previous_c(s, row + j, panel) - g[j], g[j]);
      store_step(s, row + j, panel, s.hidden - panel * V, h, h);
      if (!s.gates) continue;
      T* out = s.gates + panel * s.gate_panel_stride + (row + j) * kKept * V;
      g[j].store(out);
      gates[j].store(out + V);
      gates[N + j].store(out + 2 * V);
      sum(3, j).store(out + 3 * V);
    }
  }

  static void general_forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    const CellOptions& o = *s.cell.options;
    typename Block::Vectors value[3];
    T* a[3];  // g, z, r; where training keeps what enters the activation, elsewhere than z
    for (int k = 0; k < 3; ++k) {
      const ActivationSpec& spec = k == 0 ? o.activation : o.recurrent_activation;
      a[k] = s.gates && needs_input(spec) ? value[k].at : z + k * n * V;
    }
    for (int k = 1; k < 3; ++k) map<T>({o.recurrent_activation, n * V, z + k * n * V, a[k]});
    for (index j = 0; j < n * V; j += V)
      fma(Vec<T>::load(a[2] + j), Vec<T>::load(z + 3 * n * V + j), Vec<T>::load(z + j))
          .store(z + j);
    map<T>({o.activation, n * V, z, a[0]});
    for (index m = 0; m < n; ++m) {
      const Vec<T> g = Vec<T>::load(a[0] + m * V);
      const Vec<T> h = fma(Vec<T>::load(a[1] + m * V), previous_c(s, row + m, panel) - g, g);
      store_step(s, row + m, panel, s.hidden - panel * V, h, h);
      if (!s.gates) continue;
      T* out = s.gates + panel * s.gate_panel_stride + (row + m) * kKept * V;
      for (int k = 0; k < kKept; ++k) Vec<T>::load(z + (k * n + m) * V).store(out + k * V);
    }
  }

  static void general_backward(const StepBackward<T>& s, index panel) {
    for (index row = s.row0; row < s.row1; row += Block::kRows)
      general_rows(s, row, s.row1 - row < Block::kRows ? s.row1 - row : index(Block::kRows), panel);
  }
  static void general_rows(const StepBackward<T>& s, index row, index n, index panel) {
    const CellOptions& o = *s.cell.options;
    const ActivationSpec* const specs[] = {&o.activation, &o.recurrent_activation,
                                           &o.recurrent_activation};
    const Vec<T> one = Vec<T>::set(T(1));
    const index left = s.hidden - panel * V;
    const T* from = s.gates + panel * s.gate_panel_stride + row * kKept * V;
    typename Block::Vectors kept[kKept], room[3], d[3], past;
    const T* a[3];
    for (index m = 0; m < n; ++m)
      for (int k = 0; k < kKept; ++k) kept[k].set(m, Vec<T>::load(from + (m * kKept + k) * V));
    for (int k = 0; k < 3; ++k) a[k] = Block::reopen(*specs[k], n, kept[k].at, room[k].at);
    for (index m = 0; m < n; ++m) {
      const Vec<T> g = Vec<T>::load(a[0] + m * V), z = Vec<T>::load(a[1] + m * V);
      const Vec<T> dh =
          gradient_of_h(s, row + m, panel, left) + gradient_of_c(s, row + m, panel, left);
      d[0].set(m, dh * (one - z));
      d[1].set(m, dh * (previous_c(s, row + m, panel) - g));
      past.set(m, dh * z);
    }
    for (int k = 0; k < 2; ++k) map_backward<T>({*specs[k], n * V, kept[k].at, d[k].at, d[k].at});
    for (index m = 0; m < n; ++m) d[2].set(m, d[0][m] * kept[3][m]);
    map_backward<T>({*specs[2], n * V, kept[2].at, d[2].at, d[2].at});
    for (index m = 0; m < n; ++m) {
      Vec<T> dz[kKept] = {d[0][m], d[1][m], d[2][m], d[0][m] * Vec<T>::load(a[2] + m * V)};
      store_gradients<T, kKept>(s, row + m, panel, left, dz, past[m]);
    }
  }
};
