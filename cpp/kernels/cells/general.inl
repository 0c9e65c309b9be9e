// The general cell: any activations, peepholes, coupled gates, as run-time branches that a tile
// takes once a vector.
//   z_i += p_i c_prev, z_f += p_f c_prev;  i = s(z_i) or 1 - f, f = s(z_f), g = a(z_g)
//   c = f c_prev + i g;  z_o += p_o c;  o = s(z_o);  h = o a(c)
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
  LF_INLINE Vec<T> gate(Vec<T> z) const { return activate(cell.options.recurrent_activation, z); }
  LF_INLINE Vec<T> squash(Vec<T> z) const { return activate(cell.options.activation, z); }

  LF_INLINE void forward(Vec<T> (&z)[G], Vec<T> c_prev, Vec<T>& c, Vec<T>& h) const {
    if (peephole) {
      if (G == 4) z[0] = fma(peep(0), c_prev, z[0]);
      z[kF] = fma(peep(kF), c_prev, z[kF]);
    }
    if (G == 4) z[0] = gate(z[0]);
    z[kF] = gate(z[kF]);
    z[kG] = squash(z[kG]);
    const Vec<T> i = G == 4 ? z[0] : Vec<T>::set(T(1)) - z[kF];
    c = fma(z[kF], c_prev, i * z[kG]);
    if (peephole) z[kO] = fma(peep(G - 2), c, z[kO]);
    z[kO] = gate(z[kO]);
    h = z[kO] * squash(c);
  }

  LF_INLINE void backward(Vec<T> (&a)[G], Vec<T> c, Vec<T> c_prev, Vec<T> dh, Vec<T>& dc) const {
    const Activation s = cell.options.recurrent_activation, t = cell.options.activation;
    const Vec<T> one = Vec<T>::set(T(1));
    const Vec<T> f = a[kF], g = a[kG], o = a[kO], i = G == 4 ? a[0] : one - f, y = squash(c);
    const Vec<T> dz_o = dh * y * slope(s, o);
    dc = fma(dh * o, slope(t, y), dc);
    if (peephole) dc = fma(peep(G - 2), dz_o, dc);
    a[kO] = dz_o;
    a[kG] = dc * i * slope(t, g);
    Vec<T> dc_prev = dc * f;
    if (G == 4) {
      a[0] = dc * g * slope(s, i);
      if (peephole) dc_prev = fma(peep(0), a[0], dc_prev);
      a[kF] = dc * c_prev * slope(s, f);
    } else {
      a[kF] = dc * (c_prev - g) * slope(s, f);
    }
    if (peephole) dc_prev = fma(peep(kF), a[kF], dc_prev);
    dc = dc_prev;
  }
};
