// The layer-normalised cell, a whole row at a time, because a row's statistics need all of its
// units.
//   LN(v) = gain (v - mean v) / sqrt(var v + epsilon) + shift, per gate over its H units
//   i, f = s(clip(LN(z + p c_prev))), g = a(clip(LN(z_g))), c = clip(f c_prev + i g), zoneout,
//   o = s(clip(LN(z_o + p_o c))), h = o a_out(LN(c))
// Lanes beyond H are masked out of the statistics. See NormForward and NormBackward in lstm_args.h.

constexpr double kNormEpsilon = 1e-5;

// Sum of the lanes, by halves: a fixed order.
template <class T>
LF_INLINE T sum_lanes(Vec<T> v) {
  T t[Vec<T>::kLanes];
  v.store(t);
  LF_UNROLL
  for (int w = Vec<T>::kLanes / 2; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) t[i] = t[i] + t[i + w];
  return t[0];
}

// x in the lanes that hold units, 0 beyond: padding may be NaN when x is infinite.
template <class T>
LF_INLINE Vec<T> units_of(Vec<T> x, index left) {
  return left >= Vec<T>::kLanes ? x : select(lanes_below<T>(left), x, Vec<T>::zero());
}

template <class T>
LF_INLINE T inverse_deviation(Vec<T> squares, T units) {
  T r[Vec<T>::kLanes];
  sqrt(Vec<T>::set(sum_lanes(squares) / units + T(kNormEpsilon))).store(r);
  return T(1) / r[0];
}

// What forward and backward share: pointers to the arrays of one row, and the normalised values.
template <class T, int G>
struct NormRow {
  static constexpr int V = Vec<T>::kLanes;
  static constexpr int kF = G - 3, kG = G - 2, kO = G - 1;
  const CellParams<T>& cell;
  T* z;
  index z_panel_stride, panels;
  const T* mean;  // [G + 1], the last of c; inverse deviations follow
  const T* rsd;

  LF_INLINE T* gate(index p, int g) const { return z + p * z_panel_stride + g * V; }
  LF_INLINE Vec<T> gain(index p, int g) const {
    return g == G ? Vec<T>::load(cell.norm_c + p * 2 * V)
                  : Vec<T>::load(cell.norm_z + (p * 2 * G + g) * V);
  }
  LF_INLINE Vec<T> shift(index p, int g) const {
    return g == G ? Vec<T>::load(cell.norm_c + (p * 2 + 1) * V)
                  : Vec<T>::load(cell.norm_z + (p * 2 * G + G + g) * V);
  }
  LF_INLINE Vec<T> peep(index p, int i) const {
    return Vec<T>::load(cell.peephole + (p * (G - 1) + i) * V);
  }
  LF_INLINE Vec<T> hat(Vec<T> v, int g) const {
    return (v - Vec<T>::set(mean[g])) * Vec<T>::set(rsd[g]);
  }
  LF_INLINE Vec<T> normed(index p, int g, Vec<T> v) const {
    return fma(gain(p, g), hat(v, g), shift(p, g));
  }
  // out [P][V] = LN of gate g.
  LF_INLINE void normalise(int g, T* out) const {
    for (index p = 0; p < panels; ++p) normed(p, g, Vec<T>::load(gate(p, g))).store(out + p * V);
  }
};

template <class T, int G>
void norm_forward_gates(const NormForward<T>& n) {
  constexpr int V = Vec<T>::kLanes, kF = G - 3, kG = G - 2, kO = G - 1;
  const Gates<T, G> gates{n.cell};
  const double zoneout = n.cell.options->zoneout_c;
  const T units = T(n.hidden);
  const auto a = [&](int g, index p) { return n.scratch + (g * n.panels + p) * V; };
  for (index row = n.row0; row < n.row1; ++row) {
    T* const mean = n.stats + row * (2 * G + 2);
    T* const rsd = mean + G + 1;
    const NormRow<T, G> r{n.cell, n.z + row * G * V, n.z_panel_stride, n.panels, mean, rsd};
    const bool has_prev = n.c_prev && !(n.reset && n.reset[row]);
    const auto c_prev = [&](index p) {
      return has_prev ? Vec<T>::load(n.c_prev + p * n.c_prev_panel_stride + row * V)
                      : Vec<T>::zero();
    };
    const auto c_at = [&](index p) { return n.c + p * n.c_panel_stride + row * V; };
    Vec<T> sum[G + 1];

    // Gates before o: peepholes, mean, deviation, values.
    for (int g = 0; g <= G; ++g) sum[g] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      for (int g = 0; g < kO; ++g) {
        Vec<T> z = Vec<T>::load(r.gate(p, g));
        if (n.cell.peephole && g <= kF) {
          z = fma(r.peep(p, g), c_prev(p), z);
          z.store(r.gate(p, g));
        }
        sum[g] = sum[g] + z;
      }
    }
    for (int g = 0; g < kO; ++g) mean[g] = sum_lanes(sum[g]) / units;
    for (int g = 0; g < kO; ++g) sum[g] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      for (int g = 0; g < kO; ++g) {
        const Vec<T> d = units_of(Vec<T>::load(r.gate(p, g)) - Vec<T>::set(mean[g]), left);
        sum[g] = fma(d, d, sum[g]);
      }
    }
    for (int g = 0; g < kO; ++g) rsd[g] = inverse_deviation(sum[g], units);
    for (int g = 0; g < kO; ++g) {
      r.normalise(g, a(g, 0));
      gates.open(g, n.panels, a(g, 0), a(g, 0));
    }

    // c, then o's pre-activation with its peephole, and the sums of both.
    sum[0] = sum[1] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const Vec<T> f = Vec<T>::load(a(kF, p)), g = Vec<T>::load(a(kG, p));
      const Vec<T> i = G == 4 ? Vec<T>::load(a(0, p)) : Vec<T>::set(T(1)) - f;
      Vec<T> c = gates.state(gates.unbounded(i, f, g, c_prev(p)));
      if (zoneout > 0) c = mixed(kept_share(n.keep_c, zoneout, row, p * V), c_prev(p), c);
      c = units_of(c, n.hidden - p * V);
      c.store(c_at(p));
      if (n.cells) store_up_to(c, n.cells + n.cells_offsets[row] + p * V, n.hidden - p * V);
      Vec<T> z = Vec<T>::load(r.gate(p, kO));
      if (n.cell.peephole) {
        z = fma(r.peep(p, G - 2), c, z);
        z.store(r.gate(p, kO));
      }
      sum[0] = sum[0] + z;
      sum[1] = sum[1] + c;
    }
    mean[kO] = sum_lanes(sum[0]) / units;
    mean[G] = sum_lanes(sum[1]) / units;
    sum[0] = sum[1] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      const Vec<T> d = units_of(Vec<T>::load(r.gate(p, kO)) - Vec<T>::set(mean[kO]), left);
      const Vec<T> e = units_of(Vec<T>::load(c_at(p)) - Vec<T>::set(mean[G]), left);
      sum[0] = fma(d, d, sum[0]);
      sum[1] = fma(e, e, sum[1]);
    }
    rsd[kO] = inverse_deviation(sum[0], units);
    rsd[G] = inverse_deviation(sum[1], units);

    r.normalise(kO, a(kO, 0));
    gates.open(kO, n.panels, a(kO, 0), a(kO, 0));
    for (index p = 0; p < n.panels; ++p) r.normed(p, G, Vec<T>::load(c_at(p))).store(a(G, p));
    gates.show(n.panels, a(G, 0), a(G, 0));
    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      const Vec<T> h = units_of(Vec<T>::load(a(kO, p)) * Vec<T>::load(a(G, p)), left);
      h.store(n.h + row * n.h_stride + p * V);
      if (n.y) store_up_to(h, n.y + n.y_offsets[row] + p * V, left);
    }
  }
}

// With u = gain * dLN: dv = (u - mean(u) - hat mean(u hat)) / sd.
template <class T, int G>
void norm_backward_gates(const NormBackward<T>& n) {
  constexpr int V = Vec<T>::kLanes, kF = G - 3, kG = G - 2, kO = G - 1;
  const Gates<T, G> gates{n.cell};
  const double zoneout = n.cell.options->zoneout_c;
  const Vec<T> per_unit = Vec<T>::set(T(1) / T(n.hidden));
  // Normalised values, activated values and intermediate gradients, of gates and c.
  const index width = (G + 1) * n.panels * V;
  const auto normed = [&](int g, index p) { return n.scratch + (g * n.panels + p) * V; };
  const auto a = [&](int g, index p) { return normed(g, p) + width; };
  const auto d = [&](int g, index p) { return normed(g, p) + 2 * width; };
  for (index row = n.row0; row < n.row1; ++row) {
    const T* const mean = n.stats + row * (2 * G + 2);
    const NormRow<T, G> r{n.cell, n.z + row * G * V, n.z_panel_stride, n.panels,
                          mean,   mean + G + 1};
    const bool reset = n.reset && n.reset[row], has_prev = n.c_prev && !reset;
    const auto c_prev = [&](index p) {
      return has_prev ? Vec<T>::load(n.c_prev + p * n.c_panel_stride + row * V) : Vec<T>::zero();
    };
    const auto c_at = [&](index p) { return Vec<T>::load(n.c + p * n.c_panel_stride + row * V); };
    const auto hat = [&](index p, int g) {
      return r.hat(g == G ? c_at(p) : Vec<T>::load(r.gate(p, g)), g);
    };
    // From the gradient of LN's result to u, sums of u and u hat, gradients of gain and shift.
    Vec<T> sum[G + 1], sum_hat[G + 1];
    const auto into = [&](int g) {
      sum[g] = sum_hat[g] = Vec<T>::zero();
      for (index p = 0; p < n.panels; ++p) {
        const Vec<T> dn = units_of(Vec<T>::load(d(g, p)), n.hidden - p * V);
        const Vec<T> h = hat(p, g), u = dn * r.gain(p, g);
        u.store(d(g, p));
        sum[g] = sum[g] + u;
        sum_hat[g] = fma(u, h, sum_hat[g]);
        T* dnorm = n.dnorm + row * n.dnorm_row_stride + p * (2 * G + 2) * V;
        T* dgain = dnorm + (g < G ? g : 2 * G) * V;
        T* dshift = dnorm + (g < G ? G + g : 2 * G + 1) * V;
        fma(dn, h, Vec<T>::load(dgain)).store(dgain);
        (Vec<T>::load(dshift) + dn).store(dshift);
      }
      sum[g] = Vec<T>::set(sum_lanes(sum[g])) * per_unit;
      sum_hat[g] = Vec<T>::set(sum_lanes(sum_hat[g])) * per_unit;
    };
    const auto through = [&](index p, int g) {
      const Vec<T> u = Vec<T>::load(d(g, p));
      return units_of(fnma(hat(p, g), sum_hat[g], u - sum[g]) * Vec<T>::set(r.rsd[g]),
                      n.hidden - p * V);
    };

    for (int g = 0; g < G; ++g) {
      r.normalise(g, normed(g, 0));
      gates.open(g, n.panels, normed(g, 0), a(g, 0));
    }
    for (index p = 0; p < n.panels; ++p) r.normed(p, G, c_at(p)).store(normed(G, p));
    gates.show(n.panels, normed(G, 0), a(G, 0));
    for (index p = 0; p < n.panels; ++p) {
      Vec<T> dh = n.dh ? Vec<T>::load(n.dh + row * n.dh_stride + p * V) : Vec<T>::zero();
      if (n.dy) dh = dh + load_up_to(n.dy + n.dy_offsets[row] + p * V, n.hidden - p * V);
      (dh * Vec<T>::load(a(G, p))).store(d(kO, p));
      (dh * Vec<T>::load(a(kO, p))).store(d(G, p));
    }
    gates.close(kO, n.panels, normed(kO, 0), a(kO, 0), d(kO, 0));
    gates.unshow(n.panels, normed(G, 0), a(G, 0), d(G, 0));
    into(kO);
    into(G);

    for (index p = 0; p < n.panels; ++p) {
      T* dc_row = n.dc + p * n.dc_panel_stride + row * V;
      const Vec<T> dz_o = through(p, kO);
      Vec<T> now = Vec<T>::load(dc_row) + through(p, G), past = Vec<T>::zero();
      dz_o.store(r.gate(p, kO));
      if (n.dcells)
        now = now + load_up_to(n.dcells + n.dcells_offsets[row] + p * V, n.hidden - p * V);
      if (n.cell.peephole) now = fma(r.peep(p, G - 2), dz_o, now);
      if (zoneout > 0) {
        const Vec<T> keep = kept_share(n.keep_c, zoneout, row, p * V);
        past = keep * now;
        now = (Vec<T>::set(T(1)) - keep) * now;
      }
      const Vec<T> f = Vec<T>::load(a(kF, p)), g = Vec<T>::load(a(kG, p));
      const Vec<T> i = G == 4 ? Vec<T>::load(a(0, p)) : Vec<T>::set(T(1)) - f;
      now = gates.inside(gates.unbounded(i, f, g, c_prev(p)), now);
      (now * i).store(d(kG, p));
      if (G == 4) (now * g).store(d(0, p));
      (now * (G == 4 ? c_prev(p) : c_prev(p) - g)).store(d(kF, p));
      fma(now, f, past).store(dc_row);
    }
    for (int g = 0; g < kO; ++g) {
      gates.close(g, n.panels, normed(g, 0), a(g, 0), d(g, 0));
      into(g);
    }

    for (index p = 0; p < n.panels; ++p) {
      T* dc_row = n.dc + p * n.dc_panel_stride + row * V;
      Vec<T> dc = Vec<T>::load(dc_row);
      for (int g = 0; g < kO; ++g) {
        const Vec<T> dz = through(p, g);
        dz.store(r.gate(p, g));
        if (n.cell.peephole && g <= kF) dc = fma(r.peep(p, g), dz, dc);
      }
      (reset ? Vec<T>::zero() : units_of(dc, n.hidden - p * V)).store(dc_row);
    }
  }
}

template <class T>
void norm_forward(const NormForward<T>& n) {
  n.cell.options->coupled ? norm_forward_gates<T, 3>(n) : norm_forward_gates<T, 4>(n);
}

template <class T>
void norm_backward(const NormBackward<T>& n) {
  n.cell.options->coupled ? norm_backward_gates<T, 3>(n) : norm_backward_gates<T, 4>(n);
}
