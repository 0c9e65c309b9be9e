// The plain cell: sigmoid gates, tanh, four gates in order i, f, g, o.
//   c = f c_prev + i g,   h = o tanh(c)

template <class T>
struct PlainCell : SumsOfCell<4> {
  static constexpr int V = Vec<T>::kLanes;
  static constexpr bool kInRegisters = kRegisters >= 32;

  // One row of W neighbouring panels and, unless N is 0, the N vectors of the tail after them, from
  // sums in registers, which are overwritten: the functions of all hide each other's latency, of
  // which a single row's step is made.
  template <int W, int N>
  static LF_INLINE void forward_row(const StepForward<T>& s, Vec<T> (&z)[W * 4 + N], index row,
                                    index panel) {
    constexpr int P = W + (N > 0 ? 1 : 0);
    const T units = T(s.tail.units);
    LF_UNROLL
    for (int j = 0; j < W * 4; j += 4) {
      z[j + 2] = tanh(z[j + 2]);  // first, for its chain is the longest
      z[j] = sigmoid(z[j]);
      z[j + 1] = sigmoid(z[j + 1]);
      z[j + 3] = sigmoid(z[j + 3]);
    }
    LF_UNROLL
    for (int n = 0; n < N; ++n) {  // g has elements 2 units .. 3 units - 1 of the tail's
      const Vec<T> middle = Vec<T>::set(T(2.5) * units - T(0.5) - T(n * V));
      const Vec<T> far = abs(Vec<T>::load(kLaneNumbers<T>) - middle);
      z[W * 4 + n] = tanh_or_sigmoid(less(far, Vec<T>::set(T(0.5) * units)), z[W * 4 + n]);
    }
    Vec<T> a[P][4], c[P], y[P];
    LF_UNROLL
    for (int p = 0; p < P; ++p) LF_UNROLL
    for (int k = 0; k < 4; ++k)
      a[p][k] = p < W ? z[p * 4 + k] : tail_gate<N>(z + W * 4, k, s.tail.units);
    LF_UNROLL
    for (int p = 0; p < P; ++p) {
      const Vec<T>* const g = a[p];
      y[p] = c[p] = fma(g[1], previous_c(s, row, panel + p), g[0] * g[2]);
      if (!s.gates) continue;
      T* out = s.gates + (panel + p) * s.gate_panel_stride + row * 4 * V;
      for (int k = 0; k < 4; ++k) g[k].store(out + k * V);
    }
    squash<(1u << P) - 1>(y);
    LF_UNROLL
    for (int p = 0; p < P; ++p)
      store_step(s, row, panel + p, s.hidden - (panel + p) * V, c[p], a[p][3] * y[p]);
  }

  // z [G][n][V]: pre-activations of n rows from `row` on, overwritten.
  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    for_rows(s, row, n, panel, z, z + 3 * n * V, [&](index m, Vec<T>& o) LF_INLINED {
      Vec<T> a[4];
      for (int g = 0; g < 4; ++g) a[g] = Vec<T>::load(z + (g * n + m) * V);
      squash<0b0100>(a);
      if (s.gates) {
        T* out = s.gates + panel * s.gate_panel_stride + (row + m) * 4 * V;
        for (int g = 0; g < 4; ++g) a[g].store(out + g * V);
      }
      o = a[3];
      return fma(a[1], previous_c(s, row + m, panel), a[0] * a[2]);
    });
  }

  static void backward(const StepBackward<T>& s, index panel) {
    const Vec<T> one = Vec<T>::set(T(1));
    const index left = s.hidden - panel * V;
    for (index row = s.row0; row < s.row1; ++row) {
      T* gates = s.gates + panel * s.gate_panel_stride + row * 4 * V;
      Vec<T> a[4];
      for (int g = 0; g < 4; ++g) a[g] = Vec<T>::load(gates + g * V);
      const Vec<T> i = a[0], f = a[1], g = a[2], o = a[3];
      const Vec<T> c = Vec<T>::load(s.c + panel * s.c_panel_stride + row * V), y = tanh(c);
      const Vec<T> c_prev = previous_c(s, row, panel), dh = gradient_of_h(s, row, panel, left);
      const Vec<T> dc = fma(dh * o, fnma(y, y, one), gradient_of_c(s, row, panel, left));
      a[0] = dc * g * (i * (one - i));
      a[1] = dc * c_prev * (f * (one - f));
      a[2] = dc * i * fnma(g, g, one);
      a[3] = dh * y * (o * (one - o));
      store_gradients<T, 4>(s, row, panel, left, a, dc * f);
    }
  }
};
