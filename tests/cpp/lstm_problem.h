// A problem for the LSTM ops: exact-size arrays, a naive forward in double, and the call itself.
// Shares no code with ops beyond the names and layouts of the parameters.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "activations.h"
#include "kernels/table.h"
#include "ops/lstm.h"
#include "ops/lstm_workspace.h"
#include "support.h"

namespace lstmfast::test {

struct LstmSizes {
  index steps, batch, input, hidden;
  CellOptions options{};
  bool lengths = false, resets = false, states = false;
};

// Rows lie kGap elements apart, filled with NaN in what is read and with a guard in what is
// written, so that a step over a row's end shows in the results.
inline constexpr index kGap = 3;
inline constexpr double kGuard = -12345.5;

// What a call gives out, and the gradients it gives back; exactly as long as the contracts say.
template <class T>
struct LstmResults {
  std::vector<T> y, h_n, c_n, dx, dh0, dc0, dblock;

  bool operator==(const LstmResults& o) const {
    return y == o.y && h_n == o.h_n && c_n == o.c_n && dx == o.dx && dh0 == o.dh0 && dc0 == o.dc0 &&
           dblock == o.dblock;
  }
};

template <class T>
class LstmProblem {
 public:
  explicit LstmProblem(const LstmSizes& s)
      : sizes(s), shape(s.input, s.hidden, s.options), parts(shape.parts()) {
    Numbers numbers;
    const auto fill = [&](std::size_t n, double scale, double centre) {
      std::vector<T> v(n);
      for (T& e : v) e = static_cast<T>(static_cast<float>(centre + scale * numbers.next()));
      return v;
    };
    for (const ops::LstmPart& part : parts) {
      const bool gain = part.name == "norm_z_weight" || part.name == "norm_c_weight";
      params.push_back(fill(count(part), gain ? 0.3 : 0.7, gain ? 1.0 : 0.0));
    }
    const std::size_t rows = size(s.batch * s.steps), states = size(s.batch * s.hidden);
    x = with_gaps(fill(rows * size(s.input), 1.5, 0), s.input);
    dy = with_gaps(fill(rows * size(s.hidden), 1, 0), s.hidden);
    h0 = fill(states, 0.8, 0);
    c0 = fill(states, 1.2, 0);
    dh_n = fill(states, 1, 0);
    dc_n = fill(states, 1, 0);
    for (index b = 0; b < s.batch; ++b) {
      // every length from 0 up, the longest one first and last
      lengths.push_back(b == 0 ? s.steps : (s.steps + b * 3) % (s.steps + 1));
    }
    for (std::size_t i = 0; i < rows; ++i) resets.push_back(numbers.next() > 0.5 ? 1 : 0);
    pack();
  }

  static std::size_t size(index n) { return static_cast<std::size_t>(n); }
  static std::size_t count(const ops::LstmPart& part) {
    return size(part.layout.rows * part.layout.columns);
  }
  index length(index b) const { return sizes.lengths ? lengths[size(b)] : sizes.steps; }

  // The parameter block from `params`.
  void pack() {
    block.assign(size(shape.size()), T(0));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      ops::import_part(parts[i].layout, params[i].data(), block.data());
    }
  }

  std::vector<T> with_gaps(const std::vector<T>& dense, index width) const {
    const index row = sizes.steps * width;
    std::vector<T> out(size(sizes.batch * (row + kGap)), std::numeric_limits<T>::quiet_NaN());
    for (index b = 0; b < sizes.batch; ++b) {
      for (index i = 0; i < row; ++i) out[size(b * (row + kGap) + i)] = dense[size(b * row + i)];
    }
    return out;
  }

  ops::LstmCall<T> call(LstmResults<T>& r) const {
    const index I = sizes.input, H = sizes.hidden, B = sizes.batch, steps = sizes.steps;
    r.y.assign(size(B * (steps * H + kGap)), T(kGuard));
    r.h_n.assign(size(B * H), T(kGuard));
    r.c_n.assign(size(B * H), T(kGuard));
    ops::LstmCall<T> c{};
    c.steps = steps;
    c.batch = B;
    c.x = x.data();
    c.x_row = steps * I + kGap;
    c.x_step = I;
    c.y = r.y.data();
    c.y_row = steps * H + kGap;
    c.y_step = H;
    c.h0 = sizes.states ? h0.data() : nullptr;
    c.c0 = sizes.states ? c0.data() : nullptr;
    c.h_n = r.h_n.data();
    c.c_n = r.c_n.data();
    c.lengths = sizes.lengths ? lengths.data() : nullptr;
    c.resets = sizes.resets ? resets.data() : nullptr;
    return c;
  }

  void infer(LstmResults<T>& r, ops::LstmWorkspace<T>& w) const {
    ops::lstm_forward(shape, block.data(), call(r), false, w);
  }

  void train(LstmResults<T>& r, ops::LstmWorkspace<T>& w) const {
    const index I = sizes.input, H = sizes.hidden, B = sizes.batch, steps = sizes.steps;
    const ops::LstmCall<T> c = call(r);
    ops::lstm_forward(shape, block.data(), c, true, w);
    r.dx.assign(size(B * (steps * I + kGap)), T(kGuard));
    r.dh0.assign(size(B * H), T(kGuard));
    r.dc0.assign(size(B * H), T(kGuard));
    r.dblock.assign(size(shape.size()), T(0));
    ops::LstmGradients<T> g{};
    g.dy = dy.data();
    g.dh_n = dh_n.data();
    g.dc_n = dc_n.data();
    g.dx = r.dx.data();
    g.dh0 = r.dh0.data();
    g.dc0 = r.dc0.data();
    g.dblock = r.dblock.data();
    g.bias = true;
    ops::lstm_backward(shape, block.data(), c, g, w);
  }

  // What the gradients are gradients of: sum of dy y + dh_n h_n + dc_n c_n.
  double loss(ops::LstmWorkspace<T>& w) const {
    LstmResults<T> r;
    infer(r, w);
    double sum = 0;
    const index row = sizes.steps * sizes.hidden + kGap;
    for (index b = 0; b < sizes.batch; ++b) {
      for (index i = 0; i < length(b) * sizes.hidden; ++i) {
        sum += double(r.y[size(b * row + i)]) * double(dy[size(b * row + i)]);
      }
    }
    for (std::size_t i = 0; i < r.h_n.size(); ++i) {
      sum += double(r.h_n[i]) * double(dh_n[i]) + double(r.c_n[i]) * double(dc_n[i]);
    }
    return sum;
  }

  // y, h_n and c_n in double, one unit after the other.
  LstmResults<double> naive() const;

  const LstmSizes sizes;
  const ops::LstmShape<T> shape;
  const std::vector<ops::LstmPart> parts;
  std::vector<std::vector<T>> params;  // logical, in the order of `parts`
  std::vector<T> block, x, dy, h0, c0, dh_n, dc_n;
  std::vector<index> lengths;
  std::vector<unsigned char> resets;

 private:
  double param(const char* name, index i) const {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].name == name) return double(params[p][size(i)]);
    }
    return 0;
  }
};

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

template <class T>
LstmResults<double> LstmProblem<T>::naive() const {
  const index I = sizes.input, H = sizes.hidden, G = shape.gates;
  const CellOptions& o = sizes.options;
  const auto slice = [&](const char* name, index first) {
    std::vector<double> v(size(H));
    for (index j = 0; j < H; ++j) v[size(j)] = param(name, first + j);
    return v;
  };
  LstmResults<double> r;
  r.y.assign(size(sizes.batch * (sizes.steps * H + kGap)), kGuard);
  for (index b = 0; b < sizes.batch; ++b) {
    std::vector<double> h(size(H), 0), c(size(H), 0);
    for (index j = 0; sizes.states && j < H; ++j) {
      h[size(j)] = double(h0[size(b * H + j)]);
      c[size(j)] = double(c0[size(b * H + j)]);
    }
    for (index t = 0; t < sizes.steps; ++t) {
      double* const y = r.y.data() + b * (sizes.steps * H + kGap) + t * H;
      for (index j = 0; j < H; ++j) y[j] = 0;
      if (t >= length(b)) continue;
      if (sizes.resets && resets[size(b * sizes.steps + t)]) {
        h.assign(size(H), 0);
        c.assign(size(H), 0);
      }
      const T* const in = x.data() + b * (sizes.steps * I + kGap) + t * I;
      std::vector<std::vector<double>> z(size(G));
      for (index g = 0; g < G; ++g) {
        z[size(g)] = slice("bias", g * H);
        for (index j = 0; j < H; ++j) {
          double& sum = z[size(g)][size(j)];
          for (index k = 0; k < I; ++k) sum += double(in[k]) * param("kernel", (k * G + g) * H + j);
          for (index k = 0; k < H; ++k)
            sum += h[size(k)] * param("recurrent_kernel", (k * G + g) * H + j);
          if (o.peephole && g < G - 2) sum += param("peephole", g * H + j) * c[size(j)];
        }
        if (o.layer_norm && g < G - 1)
          naive_norm(z[size(g)], slice("norm_z_weight", g * H), slice("norm_z_bias", g * H));
      }
      const auto gate = [&](double v) { return scalar_activation(o.recurrent_activation, v); };
      const std::size_t f = size(G - 3), candidate = size(G - 2), out = size(G - 1);
      for (std::size_t j = 0; j < size(H); ++j) {
        const double forget = gate(z[f][j]);
        const double in_gate = o.coupled ? 1 - forget : gate(z[0][j]);
        c[j] = forget * c[j] + in_gate * scalar_activation(o.activation, z[candidate][j]);
        if (o.peephole) z[out][j] += param("peephole", (G - 2) * H + index(j)) * c[j];
      }
      std::vector<double> shown = c;
      if (o.layer_norm) {
        naive_norm(z[out], slice("norm_z_weight", (G - 1) * H), slice("norm_z_bias", (G - 1) * H));
        naive_norm(shown, slice("norm_c_weight", 0), slice("norm_c_bias", 0));
      }
      for (std::size_t j = 0; j < size(H); ++j) {
        h[j] = gate(z[out][j]) * scalar_activation(o.output_activation, shown[j]);
        y[j] = h[j];
      }
    }
    r.h_n.insert(r.h_n.end(), h.begin(), h.end());
    r.c_n.insert(r.c_n.end(), c.begin(), c.end());
  }
  return r;
}

}  // namespace lstmfast::test
