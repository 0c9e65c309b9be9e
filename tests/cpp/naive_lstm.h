// The LSTM's forward one unit after the other, in double: the oracle of the C++ tests. Knows the
// problem's arrays, and of ops the names of parameters only.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "activations.h"
#include "lstm_problem.h"

namespace lstmfast::test {

// (v - mean) / sd * gain + shift
inline void naive_norm(std::vector<double>& v, const std::vector<double>& gain,
                       const std::vector<double>& shift) {
  const double n = static_cast<double>(v.size());
  double mean = 0, variance = 0;
  for (const double e : v) mean += e / n;
  for (const double e : v) variance += (e - mean) * (e - mean) / n;
  for (std::size_t j = 0; j < v.size(); ++j) {
    v[j] = (v[j] - mean) / std::sqrt(variance + 1e-5) * gain[j] + shift[j];
  }
}

inline double naive_clip(double v, double bound) {
  return bound > 0 ? std::min(std::max(v, -bound), bound) : v;
}

template <class T>
struct NaiveLstm {
  using Values = std::vector<double>;
  const LstmProblem<T>& p;
  Values h, c;
  const index I = p.sizes.input, H = p.sizes.hidden, O = p.shape.outputs(), G = p.shape.gates;
  const CellOptions& o = p.sizes.options;

  static std::size_t size(index n) { return static_cast<std::size_t>(n); }
  Values slice(const char* name, index first, index count) const {
    Values v(size(count));
    for (index j = 0; j < count; ++j) v[size(j)] = p.param(name, first + j);
    return v;
  }
  // LN and clip of gate g, then its function.
  double gate(double z) const { return scalar_activation(o.recurrent_activation, z); }
  void finish_z(Values& z, index g) const {
    if (o.layer_norm)
      naive_norm(z, slice("norm_z_weight", g * H, H), slice("norm_z_bias", g * H, H));
    for (double& v : z) v = naive_clip(v, o.preact_clip);
  }

  void step(const T* x) {
    std::vector<Values> z(size(G));
    for (index g = 0; g < G; ++g) {
      z[size(g)] = slice("bias", g * H, H);
      for (index j = 0; j < H; ++j) {
        double& sum = z[size(g)][size(j)];
        for (index k = 0; k < I; ++k) sum += double(x[k]) * p.param("kernel", (k * G + g) * H + j);
        for (index k = 0; k < O; ++k)
          sum += h[size(k)] * p.param("recurrent_kernel", (k * G + g) * H + j);
        if (o.peephole && g < G - 2) sum += p.param("peephole", g * H + j) * c[size(j)];
      }
      if (g < G - 1) finish_z(z[size(g)], g);
    }
    const std::size_t f = size(G - 3), candidate = size(G - 2), out = size(G - 1);
    for (std::size_t j = 0; j < size(H); ++j) {
      const double forget = o.forget_gate ? gate(z[f][j]) : 1;
      const double in = o.coupled ? 1 - forget : o.input_gate ? gate(z[0][j]) : 1;
      const double now = forget * c[j] + in * scalar_activation(o.activation, z[candidate][j]);
      c[j] = o.zoneout_c * c[j] + (1 - o.zoneout_c) * naive_clip(now, o.cell_clip);
      if (o.peephole) z[out][j] += p.param("peephole", (G - 2) * H + index(j)) * c[j];
    }
    finish_z(z[out], G - 1);
    Values u = c;
    if (o.layer_norm) naive_norm(u, slice("norm_c_weight", 0, H), slice("norm_c_bias", 0, H));
    for (std::size_t j = 0; j < size(H); ++j) {
      u[j] = scalar_activation(o.output_activation, u[j]);
      if (o.output_gate) u[j] *= gate(z[out][j]);
    }
    for (index q = 0; q < O; ++q) {
      double v = o.projection > 0 ? 0 : u[size(q)];
      for (index j = 0; o.projection > 0 && j < H; ++j)
        v += u[size(j)] * p.param("projection_kernel", j * O + q);
      h[size(q)] = o.zoneout_h * h[size(q)] + (1 - o.zoneout_h) * naive_clip(v, o.proj_clip);
    }
  }

  // One row: its real steps in the order of the call, then the outputs of the others.
  void row(index b, LstmResults<double>& r) {
    const index steps = p.sizes.steps;
    h.assign(size(O), 0);
    c.assign(size(H), 0);
    for (index j = 0; p.sizes.states && j < O; ++j) h[size(j)] = double(p.h0[size(b * O + j)]);
    for (index j = 0; p.sizes.states && j < H; ++j) c[size(j)] = double(p.c0[size(b * H + j)]);
    Values y(size(O), 0), cells(size(H), 0);  // held
    index before = -1;
    for (index i = 0; i < steps; ++i) {
      const index t = p.sizes.reverse ? steps - 1 - i : i;
      if (p.real(b, t)) {
        const index begins = p.sizes.reverse ? before : t;
        if (p.sizes.resets && begins >= 0 && p.resets[size(b * steps + begins)]) {
          h.assign(size(O), 0);
          c.assign(size(H), 0);
        }
        step(p.x.data() + b * p.stride(I) + t * I);
        y = h;
        cells = c;
        before = t;
      } else if (!p.sizes.hold) {
        y.assign(size(O), 0);
        cells.assign(size(H), 0);
      }
      std::copy(y.begin(), y.end(), r.y.begin() + b * p.stride(O) + t * O);
      if (p.sizes.cells)
        std::copy(cells.begin(), cells.end(), r.cells.begin() + b * p.stride(H) + t * H);
    }
    r.h_n.insert(r.h_n.end(), h.begin(), h.end());
    r.c_n.insert(r.c_n.end(), c.begin(), c.end());
  }
};

// y, cells, h_n and c_n without anything random.
template <class T>
LstmResults<double> naive(const LstmProblem<T>& p) {
  const auto guarded = [&](index width) {
    return std::vector<double>(static_cast<std::size_t>(p.sizes.batch * p.stride(width)), kGuard);
  };
  LstmResults<double> r;
  NaiveLstm<T> lstm{p, {}, {}};
  r.y = guarded(lstm.O);
  if (p.sizes.cells) r.cells = guarded(lstm.H);
  for (index b = 0; b < p.sizes.batch; ++b) lstm.row(b, r);
  return r;
}

}  // namespace lstmfast::test
