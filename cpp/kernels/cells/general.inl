// The general cell: any activations, peepholes, coupled gates, as run-time branches that a tile
// takes once a vector.
//   z_i += p_i c_prev, z_f += p_f c_prev;  i = s(z_i) or 1 - f, f = s(z_f), g = a(z_g)
//   c = f c_prev + i g;  z_o += p_o c;  o = s(z_o);  h = o u(c)
// G = 4: gates i, f, g, o, peepholes i, f, o. G = 3 (coupled): gates f, g, o, peepholes f, o.

template <class T, int G>
struct GeneralCell {
  static constexpr int kGates = G;
  static constexpr int kF = G - 3, kG = G - 2,
                       kO = G - 1;  // where a gate stands; i is 0 when G = 4
  static constexpr int V = Vec<T>::kLanes;
  const CellParams<T>& cell;
  const T* peephole;  // [G - 1][V] of this panel, or null

  LF_INLINE GeneralCell(const CellParams<T>& c, index panel)
      : cell(c), peephole(c.peephole ? c.peephole + panel * (G - 1) * V : nullptr) {}

  LF_INLINE Vec<T> peep(int i) const { return Vec<T>::load(peephole + i * V); }

  // z: in pre-activations, out what the activations keep for backward.
  LF_INLINE void forward(Vec<T> (&z)[G], Vec<T> c_prev, Vec<T>& c, Vec<T>& h) const {
    const ActivationSpec &s = cell.options.recurrent_activation, &t = cell.options.activation;
    if (peephole) {
      if (G == 4) z[0] = fma(peep(0), c_prev, z[0]);
      z[kF] = fma(peep(kF), c_prev, z[kF]);
    }
    const Vec<T> f = activate(s, z[kF]), g = activate(t, z[kG]);
    const Vec<T> i = G == 4 ? activate(s, z[0]) : Vec<T>::set(T(1)) - f;
    c = fma(f, c_prev, i * g);
    if (peephole) z[kO] = fma(peep(G - 2), c, z[kO]);
    const Vec<T> o = activate(s, z[kO]);
    h = o * activate(cell.options.output_activation, c);
    if (G == 4) z[0] = kept(s, z[0], i);
    z[kF] = kept(s, z[kF], f);
    z[kG] = kept(t, z[kG], g);
    z[kO] = kept(s, z[kO], o);
  }

  LF_INLINE void backward(Vec<T> (&a)[G], Vec<T> c, Vec<T> c_prev, Vec<T> dh, Vec<T>& dc) const {
    const ActivationSpec &s = cell.options.recurrent_activation, &t = cell.options.activation,
                         &u = cell.options.output_activation;
    const Vec<T> f = value_of(s, a[kF]), g = value_of(t, a[kG]), o = value_of(s, a[kO]);
    const Vec<T> i = G == 4 ? value_of(s, a[0]) : Vec<T>::set(T(1)) - f, y = activate(u, c);
    const Vec<T> dz_o = dh * y * slope(s, a[kO]);
    dc = fma(dh * o, slope(u, kept(u, c, y)), dc);
    if (peephole) dc = fma(peep(G - 2), dz_o, dc);
    a[kO] = dz_o;
    a[kG] = dc * i * slope(t, a[kG]);
    Vec<T> dc_prev = dc * f;
    if (G == 4) {
      a[0] = dc * g * slope(s, a[0]);
      if (peephole) dc_prev = fma(peep(0), a[0], dc_prev);
      a[kF] = dc * c_prev * slope(s, a[kF]);
    } else {
      a[kF] = dc * (c_prev - g) * slope(s, a[kF]);
    }
    if (peephole) dc_prev = fma(peep(kF), a[kF], dc_prev);
    dc = dc_prev;
  }
};
