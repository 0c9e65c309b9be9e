// The general cell where its activations are the plain cell's (sigmoid gates, tanh): peepholes,
// coupled gates, clip of c and zoneout of c at a row a time, in registers.

template <class T, int G>
struct StandardCell {
  static constexpr int V = Vec<T>::kLanes;
  static constexpr int kF = G - 3, kG = G - 2, kO = G - 1;

  static LF_INLINE bool fits(const CellOptions& o) {
    return o.activation.kind == Activation::tanh &&
           o.recurrent_activation.kind == Activation::sigmoid &&
           o.output_activation.kind == Activation::tanh && o.input_gate && o.forget_gate &&
           o.output_gate;
  }

  // z [G][n][V]: pre-activations of n rows from `row` on, overwritten.
  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    const Gates<T, G> gates{s.cell};
    const double zoneout = s.cell.options->zoneout_c;
    const bool clips = s.cell.options->preact_clip > 0;
    const T* p = s.cell.peephole ? s.cell.peephole + panel * (G - 1) * V : nullptr;
    for_rows(s, row, n, panel, z, z + kO * n * V, [&](index m, Vec<T>& o) LF_INLINED {
      const Vec<T> c_prev = previous_c(s, row + m, panel);
      Vec<T> a[G];
      for (int g = 0; g < G; ++g) a[g] = Vec<T>::load(z + (g * n + m) * V);
      const Vec<T> z_o = a[kO];
      for (int g = 0; p && g <= kF; ++g) a[g] = fma(Vec<T>::load(p + g * V), c_prev, a[g]);
      for (int g = 0; clips && g < G; ++g) a[g] = gates.limited(a[g]);
      squash<1u << kG>(a);
      const Vec<T> i = G == 4 ? a[0] : Vec<T>::set(T(1)) - a[kF];
      Vec<T> c = gates.state(gates.unbounded(i, a[kF], a[kG], c_prev));
      if (zoneout > 0) c = mixed(kept_share(s.keep_c, zoneout, row + m, panel * V), c_prev, c);
      if (p) {  // o's peephole reads this step's c
        a[kO] = fma(Vec<T>::load(p + (G - 2) * V), c, z_o);
        a[kO] = sigmoid(clips ? gates.limited(a[kO]) : a[kO]);
      }
      if (s.gates) {
        T* out = s.gates + panel * s.gate_panel_stride + (row + m) * G * V;
        for (int g = 0; g < G; ++g) a[g].store(out + g * V);
      }
      o = a[kO];
      return c;
    });
  }

  static void backward(const StepBackward<T>& s, index panel) {
    const Gates<T, G> gates{s.cell};
    const Vec<T> one = Vec<T>::set(T(1));
    const index left = s.hidden - panel * V;
    const double zoneout = s.cell.options->zoneout_c;
    const bool clips = s.cell.options->preact_clip > 0;
    const T* p = s.cell.peephole ? s.cell.peephole + panel * (G - 1) * V : nullptr;
    for (index row = s.row0; row < s.row1; ++row) {
      const T* kept = s.gates + panel * s.gate_panel_stride + row * G * V;
      Vec<T> a[G];
      for (int g = 0; g < G; ++g) a[g] = Vec<T>::load(kept + g * V);
      const Vec<T> f = a[kF], g = a[kG], o = a[kO], i = G == 4 ? a[0] : one - f;
      const Vec<T> y = tanh(Vec<T>::load(s.c + panel * s.c_panel_stride + row * V));
      const Vec<T> c_prev = previous_c(s, row, panel), dh = gradient_of_h(s, row, panel, left);
      a[kO] = dh * y * (o * (one - o));
      if (clips) a[kO] = gates.unclipped(kO, o, a[kO]);
      Vec<T> now = fma(dh * o, fnma(y, y, one), gradient_of_c(s, row, panel, left));
      if (p) now = fma(Vec<T>::load(p + (G - 2) * V), a[kO], now);
      Vec<T> past = Vec<T>::zero();
      if (zoneout > 0) {
        const Vec<T> keep = kept_share(s.keep_c, zoneout, row, panel * V);
        past = keep * now;
        now = (one - keep) * now;
      }
      now = gates.inside(gates.unbounded(i, f, g, c_prev), now);
      a[kG] = now * i * fnma(g, g, one);
      if (G == 4) a[0] = now * g * (i * (one - i));
      a[kF] = now * (G == 4 ? c_prev : c_prev - g) * (f * (one - f));
      if (clips) {
        if (G == 4) a[0] = gates.unclipped(0, i, a[0]);
        a[kF] = gates.unclipped(kF, f, a[kF]);
        a[kG] = gates.unclipped(kG, g, a[kG]);
      }
      past = fma(now, f, past);
      for (int k = 0; p && k <= kF; ++k) past = fma(Vec<T>::load(p + k * V), a[k], past);
      store_gradients<T, G>(s, row, panel, left, a, past);
    }
  }
};
