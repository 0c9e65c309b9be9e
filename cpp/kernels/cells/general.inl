// The general cell: any activations, peepholes, coupled or switched-off gates, clips, zoneout of c,
// as run-time branches that a few rows of a panel take together.
//   z_i += p_i c_prev, z_f += p_f c_prev;  i = s(z_i) or 1 - f, f = s(z_f), g = a(z_g)
//   c = clip(f c_prev + i g), zoneout;  z_o += p_o c;  o = s(z_o);  h = o a_out(c)
// G = 4: gates i, f, g, o, peepholes i, f, o. G = 3 (coupled): gates f, g, o, peepholes f, o.

template <class T, int G>
struct GeneralCell : SumsOfCell<G> {
  static constexpr int V = Vec<T>::kLanes, kRows = 8;
  static constexpr int kF = G - 3, kG = G - 2, kO = G - 1;
  struct alignas(64) Block {
    T at[kRows * V];
  };

  static LF_INLINE const T* peepholes(const CellParams<T>& cell, index panel) {
    return cell.peephole ? cell.peephole + panel * (G - 1) * V : nullptr;
  }

  // z [G][n][V]: pre-activations of n rows from `row` on.
  static void forward(const StepForward<T>& s, T* z, index row, index n, index panel) {
    using Standard = StandardCell<T, G>;
    if (Standard::fits(*s.cell.options)) return Standard::forward(s, z, row, n, panel);
    const Gates<T, G> gates{s.cell};
    const index left = s.hidden - panel * V;
    const double zoneout = s.cell.options->zoneout_c;
    const T* p = peepholes(s.cell, panel);
    Block value[G], c, y;
    T* a[G];
    for (int g = 0; g < G; ++g) a[g] = s.gates && gates.keeps_z(g) ? value[g].at : z + g * n * V;
    if (p) {
      for (index m = 0; m < n; ++m) {
        const Vec<T> c_prev = previous_c(s, row + m, panel);
        for (int g = 0; g <= kF; ++g) {
          T* to = z + (g * n + m) * V;
          fma(Vec<T>::load(p + g * V), c_prev, Vec<T>::load(to)).store(to);
        }
      }
    }
    for (int g = 0; g < kO; ++g) gates.open(g, n, z + g * n * V, a[g]);
    for (index m = 0; m < n; ++m) {
      const Vec<T> c_prev = previous_c(s, row + m, panel);
      const Vec<T> f = Vec<T>::load(a[kF] + m * V), g = Vec<T>::load(a[kG] + m * V);
      const Vec<T> i = G == 4 ? Vec<T>::load(a[0] + m * V) : Vec<T>::set(T(1)) - f;
      Vec<T> now = gates.state(gates.unbounded(i, f, g, c_prev));
      if (zoneout > 0) now = mixed(kept_share(s.keep_c, zoneout, row + m, panel * V), c_prev, now);
      now.store(c.at + m * V);
      if (p) {
        T* to = z + (kO * n + m) * V;
        fma(Vec<T>::load(p + (G - 2) * V), now, Vec<T>::load(to)).store(to);
      }
    }
    gates.open(kO, n, z + kO * n * V, a[kO]);
    gates.show(n, c.at, y.at);
    for (index m = 0; m < n; ++m) {
      const Vec<T> h = Vec<T>::load(a[kO] + m * V) * Vec<T>::load(y.at + m * V);
      store_step(s, row + m, panel, left, Vec<T>::load(c.at + m * V), h);
      if (!s.gates) continue;
      T* out = s.gates + panel * s.gate_panel_stride + (row + m) * G * V;
      for (int g = 0; g < G; ++g) Vec<T>::load(z + (g * n + m) * V).store(out + g * V);
    }
  }

  static void backward(const StepBackward<T>& s, index panel) {
    using Standard = StandardCell<T, G>;
    if (Standard::fits(*s.cell.options)) return Standard::backward(s, panel);
    for (index row = s.row0; row < s.row1; row += kRows) {
      const index n = s.row1 - row < kRows ? s.row1 - row : index(kRows);
      backward_rows(s, row, n, panel);
    }
  }

  static void backward_rows(const StepBackward<T>& s, index row, index n, index panel) {
    const Gates<T, G> gates{s.cell};
    const index left = s.hidden - panel * V;
    const double zoneout = s.cell.options->zoneout_c;
    const T* p = peepholes(s.cell, panel);
    const T* c = s.c + panel * s.c_panel_stride + row * V;
    T* kept_gates = s.gates + panel * s.gate_panel_stride + row * G * V;
    Block kept[G], value[G], d[G], y, dc;
    const T* a[G];
    for (index m = 0; m < n; ++m)
      for (int g = 0; g < G; ++g)
        Vec<T>::load(kept_gates + (m * G + g) * V).store(kept[g].at + m * V);
    for (int g = 0; g < G; ++g) a[g] = gates.reopen(g, n, kept[g].at, value[g].at);
    gates.show(n, c, y.at);
    for (index m = 0; m < n; ++m) {
      const Vec<T> dh = gradient_of_h(s, row + m, panel, left);
      (dh * Vec<T>::load(y.at + m * V)).store(d[kO].at + m * V);
      (dh * Vec<T>::load(a[kO] + m * V)).store(dc.at + m * V);
    }
    gates.close(kO, n, kept[kO].at, a[kO], d[kO].at);
    gates.unshow(n, c, y.at, dc.at);
    for (index m = 0; m < n; ++m) {
      const auto at = [m](const T* b) { return Vec<T>::load(b + m * V); };
      const Vec<T> c_prev = previous_c(s, row + m, panel), f = at(a[kF]), g = at(a[kG]);
      const Vec<T> i = G == 4 ? at(a[0]) : Vec<T>::set(T(1)) - f;
      Vec<T> now = gradient_of_c(s, row + m, panel, left) + at(dc.at), past = Vec<T>::zero();
      if (p) now = fma(Vec<T>::load(p + (G - 2) * V), at(d[kO].at), now);
      if (zoneout > 0) {
        const Vec<T> keep = kept_share(s.keep_c, zoneout, row + m, panel * V);
        past = keep * now;
        now = (Vec<T>::set(T(1)) - keep) * now;
      }
      now = gates.inside(gates.unbounded(i, f, g, c_prev), now);
      (now * i).store(d[kG].at + m * V);
      if (G == 4) (now * g).store(d[0].at + m * V);
      (now * (G == 4 ? c_prev : c_prev - g)).store(d[kF].at + m * V);
      fma(now, f, past).store(dc.at + m * V);
    }
    for (int g = 0; g < kO; ++g) gates.close(g, n, kept[g].at, a[g], d[g].at);
    for (index m = 0; m < n; ++m) {
      Vec<T> dz[G], past = Vec<T>::load(dc.at + m * V);
      for (int g = 0; g < G; ++g) dz[g] = Vec<T>::load(d[g].at + m * V);
      for (int g = 0; p && g <= kF; ++g) past = fma(Vec<T>::load(p + g * V), dz[g], past);
      store_gradients<T, G>(s, row + m, panel, left, dz, past);
    }
  }
};
