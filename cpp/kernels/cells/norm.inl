// The layer-normalised cell, a whole row at a time, because a row's statistics need all of its
// units.
//   LN(v) = gain (v - mean v) / sqrt(var v + epsilon) + shift, per gate over its H units
//   i, f = s(LN(z + p c_prev)), g = a(LN(z_g)), c = f c_prev + i g, o = s(LN(z_o + p_o c)), h = o
//   u(LN(c))
// Lanes beyond H are masked out of the statistics. See NormForward and NormBackward in args.h.

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

// What forward and backward share: where things lie for one row, and the normalised values.
template <class T, int G>
struct NormRow {
  static constexpr int V = Vec<T>::kLanes;
  static constexpr int kF = G - 3, kG = G - 2, kO = G - 1;
  const CellParams<T>& cell;
  T* z;
  index z_panel_stride;
  T* mean;  // [G + 1], the last of c; inverse deviations follow
  T* rsd;

  LF_INLINE T* gate(index p, int g) const { return z + p * z_panel_stride + g * V; }
  LF_INLINE Vec<T> gain(index p, int g) const {
    return Vec<T>::load(cell.norm_z + (p * 2 * G + g) * V);
  }
  LF_INLINE Vec<T> shift(index p, int g) const {
    return Vec<T>::load(cell.norm_z + (p * 2 * G + G + g) * V);
  }
  LF_INLINE Vec<T> c_gain(index p) const { return Vec<T>::load(cell.norm_c + p * 2 * V); }
  LF_INLINE Vec<T> c_shift(index p) const { return Vec<T>::load(cell.norm_c + (p * 2 + 1) * V); }
  LF_INLINE Vec<T> peep(index p, int i) const {
    return Vec<T>::load(cell.peephole + (p * (G - 1) + i) * V);
  }
  LF_INLINE Vec<T> hat(Vec<T> v, int g) const {
    return (v - Vec<T>::set(mean[g])) * Vec<T>::set(rsd[g]);
  }
  LF_INLINE Vec<T> s(Vec<T> v) const { return activate(cell.options.recurrent_activation, v); }
  LF_INLINE Vec<T> a(Vec<T> v) const { return activate(cell.options.activation, v); }
  LF_INLINE Vec<T> u(Vec<T> v) const { return activate(cell.options.output_activation, v); }
  LF_INLINE Vec<T> normed(index p, int g, Vec<T> zhat) const {
    return fma(gain(p, g), zhat, shift(p, g));
  }
};

template <class T, int G>
void norm_forward_gates(const NormForward<T>& n) {
  constexpr int V = Vec<T>::kLanes, kO = G - 1;
  const T units = T(n.hidden);
  for (index row = n.row0; row < n.row1; ++row) {
    T* stats = n.stats + row * (2 * G + 2);
    const NormRow<T, G> r{n.cell, n.z + row * G * V, n.z_panel_stride, stats, stats + G + 1};
    const bool has_prev = n.c_prev && !(n.reset && n.reset[row]);
    const auto c_prev = [&](index p) {
      return has_prev ? Vec<T>::load(n.c_prev + p * n.c_prev_panel_stride + row * V)
                      : Vec<T>::zero();
    };
    const auto c_at = [&](index p) { return n.c + p * n.c_panel_stride + row * V; };
    Vec<T> sum[G + 1];

    // Gates before o: peepholes, mean, deviation.
    for (int g = 0; g <= G; ++g) sum[g] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      for (int g = 0; g < kO; ++g) {
        Vec<T> z = Vec<T>::load(r.gate(p, g));
        if (n.cell.peephole && g <= r.kF) {
          z = fma(r.peep(p, g), c_prev(p), z);
          z.store(r.gate(p, g));
        }
        sum[g] = sum[g] + z;
      }
    }
    for (int g = 0; g < kO; ++g) r.mean[g] = sum_lanes(sum[g]) / units;
    for (int g = 0; g < kO; ++g) sum[g] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      for (int g = 0; g < kO; ++g) {
        const Vec<T> d = units_of(Vec<T>::load(r.gate(p, g)) - Vec<T>::set(r.mean[g]), left);
        sum[g] = fma(d, d, sum[g]);
      }
    }
    for (int g = 0; g < kO; ++g) r.rsd[g] = inverse_deviation(sum[g], units);

    // c, then o's pre-activation with its peephole; both sums on the way.
    sum[0] = sum[1] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const auto value = [&](int g) {
        return r.normed(p, g, r.hat(Vec<T>::load(r.gate(p, g)), g));
      };
      const Vec<T> f = r.s(value(r.kF));
      const Vec<T> i = G == 4 ? r.s(value(0)) : Vec<T>::set(T(1)) - f;
      const Vec<T> c = units_of(fma(f, c_prev(p), i * r.a(value(r.kG))), n.hidden - p * V);
      c.store(c_at(p));
      Vec<T> z = Vec<T>::load(r.gate(p, kO));
      if (n.cell.peephole) {
        z = fma(r.peep(p, G - 2), c, z);
        z.store(r.gate(p, kO));
      }
      sum[0] = sum[0] + z;
      sum[1] = sum[1] + c;
    }
    r.mean[kO] = sum_lanes(sum[0]) / units;
    r.mean[G] = sum_lanes(sum[1]) / units;
    sum[0] = sum[1] = Vec<T>::zero();
    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      const Vec<T> d = units_of(Vec<T>::load(r.gate(p, kO)) - Vec<T>::set(r.mean[kO]), left);
      const Vec<T> e = units_of(Vec<T>::load(c_at(p)) - Vec<T>::set(r.mean[G]), left);
      sum[0] = fma(d, d, sum[0]);
      sum[1] = fma(e, e, sum[1]);
    }
    r.rsd[kO] = inverse_deviation(sum[0], units);
    r.rsd[G] = inverse_deviation(sum[1], units);

    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      const Vec<T> o = r.s(r.normed(p, kO, r.hat(Vec<T>::load(r.gate(p, kO)), kO)));
      const Vec<T> cn = fma(r.c_gain(p), r.hat(Vec<T>::load(c_at(p)), G), r.c_shift(p));
      const Vec<T> h = units_of(o * r.u(cn), left);
      h.store(n.h + row * n.h_stride + p * V);
      if (n.y) {
        store_up_to(h, n.y + n.y_offsets[row] + p * V, left);
      }
    }
  }
}

// With w = gain * dLN: dv = (w - mean(w) - hat mean(w hat)) / sd.
template <class T, int G>
void norm_backward_gates(const NormBackward<T>& n) {
  constexpr int V = Vec<T>::kLanes, kO = G - 1;
  const ActivationSpec &s = n.cell.options.recurrent_activation, &a = n.cell.options.activation,
                       &u = n.cell.options.output_activation;
  const Vec<T> per_unit = Vec<T>::set(T(1) / T(n.hidden));
  for (index row = n.row0; row < n.row1; ++row) {
    T* stats = const_cast<T*>(n.stats) + row * (2 * G + 2);
    const NormRow<T, G> r{n.cell, n.z + row * G * V, n.z_panel_stride, stats, stats + G + 1};
    const bool reset = n.reset && n.reset[row], has_prev = n.c_prev && !reset;
    const auto c_prev = [&](index p) {
      return has_prev ? Vec<T>::load(n.c_prev + p * n.c_panel_stride + row * V) : Vec<T>::zero();
    };
    const auto hat = [&](index p, int g) { return r.hat(Vec<T>::load(r.gate(p, g)), g); };
    const auto c_hat = [&](index p) {
      return r.hat(Vec<T>::load(n.c + p * n.c_panel_stride + row * V), G);
    };
    // w of gate g (g = G: of c) in the caller's scratch; sums of w and w hat; gradients of gain and
    // shift.
    Vec<T> sum[G + 1], sum_hat[G + 1];
    for (int g = 0; g <= G; ++g) sum[g] = sum_hat[g] = Vec<T>::zero();
    const auto take = [&](index p, int g, Vec<T> d, Vec<T> gain, Vec<T> h) {
      const Vec<T> w = d * gain;
      w.store(n.scratch + (p * (G + 1) + g) * V);
      sum[g] = sum[g] + w;
      sum_hat[g] = fma(w, h, sum_hat[g]);
      T* dnorm = n.dnorm + row * n.dnorm_row_stride + p * (2 * G + 2) * V;
      T* dgain = dnorm + (g < G ? g : 2 * G) * V;
      T* dshift = dnorm + (g < G ? G + g : 2 * G + 1) * V;
      fma(d, h, Vec<T>::load(dgain)).store(dgain);
      (Vec<T>::load(dshift) + d).store(dshift);
    };
    const auto means = [&](int g) {
      sum[g] = Vec<T>::set(sum_lanes(sum[g])) * per_unit;
      sum_hat[g] = Vec<T>::set(sum_lanes(sum_hat[g])) * per_unit;
    };
    const auto through = [&](index p, int g, Vec<T> h) {
      const Vec<T> w = Vec<T>::load(n.scratch + (p * (G + 1) + g) * V);
      return units_of(fnma(h, sum_hat[g], w - sum[g]) * Vec<T>::set(r.rsd[g]), n.hidden - p * V);
    };

    for (index p = 0; p < n.panels; ++p) {
      const index left = n.hidden - p * V;
      Vec<T> dh = n.dh ? Vec<T>::load(n.dh + row * n.dh_stride + p * V) : Vec<T>::zero();
      if (n.dy) {
        dh = dh + load_up_to(n.dy + n.dy_offsets[row] + p * V, left);
      }
      const Vec<T> h_o = hat(p, kO), h_c = c_hat(p);
      const Vec<T> z_o = r.normed(p, kO, h_o), z_c = fma(r.c_gain(p), h_c, r.c_shift(p));
      const Vec<T> o = r.s(z_o), y = r.u(z_c);
      take(p, kO, dh * y * slope(s, kept(s, z_o, o)), r.gain(p, kO), h_o);
      take(p, G, dh * o * slope(u, kept(u, z_c, y)), r.c_gain(p), h_c);
    }
    means(kO);
    means(G);

    for (index p = 0; p < n.panels; ++p) {
      T* dc_row = n.dc + p * n.dc_panel_stride + row * V;
      const Vec<T> dz_o = through(p, kO, hat(p, kO));
      dz_o.store(r.gate(p, kO));
      Vec<T> dc = Vec<T>::load(dc_row) + through(p, G, c_hat(p));
      if (n.cell.peephole) dc = fma(r.peep(p, G - 2), dz_o, dc);
      const Vec<T> h_f = hat(p, r.kF), h_g = hat(p, r.kG);
      const Vec<T> z_f = r.normed(p, r.kF, h_f), z_g = r.normed(p, r.kG, h_g);
      const Vec<T> f = r.s(z_f), g = r.a(z_g);
      const Vec<T> slope_f = slope(s, kept(s, z_f, f)), slope_g = slope(a, kept(a, z_g, g));
      if constexpr (G == 4) {
        const Vec<T> h_i = hat(p, 0), z_i = r.normed(p, 0, h_i), i = r.s(z_i);
        take(p, 0, dc * g * slope(s, kept(s, z_i, i)), r.gain(p, 0), h_i);
        take(p, r.kG, dc * i * slope_g, r.gain(p, r.kG), h_g);
        take(p, r.kF, dc * c_prev(p) * slope_f, r.gain(p, r.kF), h_f);
      } else {
        take(p, r.kG, dc * (Vec<T>::set(T(1)) - f) * slope_g, r.gain(p, r.kG), h_g);
        take(p, r.kF, dc * (c_prev(p) - g) * slope_f, r.gain(p, r.kF), h_f);
      }
      (dc * f).store(dc_row);
    }
    for (int g = 0; g < kO; ++g) means(g);

    for (index p = 0; p < n.panels; ++p) {
      T* dc_row = n.dc + p * n.dc_panel_stride + row * V;
      Vec<T> dc = Vec<T>::load(dc_row);
      for (int g = 0; g < kO; ++g) {
        const Vec<T> dz = through(p, g, hat(p, g));
        dz.store(r.gate(p, g));
        if (n.cell.peephole && g <= r.kF) dc = fma(r.peep(p, g), dz, dc);
      }
      (reset ? Vec<T>::zero() : dc).store(dc_row);
    }
  }
}

template <class T>
void norm_forward(const NormForward<T>& n) {
  n.cell.options.coupled ? norm_forward_gates<T, 3>(n) : norm_forward_gates<T, 4>(n);
}

template <class T>
void norm_backward(const NormBackward<T>& n) {
  n.cell.options.coupled ? norm_backward_gates<T, 3>(n) : norm_backward_gates<T, 4>(n);
}
