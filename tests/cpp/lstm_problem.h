// A problem for the LSTM ops: exact-size arrays and the call itself.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "ops/lstm_workspace.h"
#include "support.h"

namespace lstmfast::test {

struct LstmSizes {
  index steps, batch, input, hidden;
  CellOptions options{};
  bool lengths = false, resets = false, states = false;
  bool mask = false, hold = false, reverse = false, cells = false;
  index bptt_steps = 0, recompute_every = 0;
  ops::LstmNoise noise{false};
};

// Rows lie kGap elements apart, filled with NaN in what is read and with a guard in what is
// written, so that a step over a row's end shows in the results.
inline constexpr index kGap = 3;
inline constexpr double kGuard = -12345.5;

// What a call returns, and the gradients that go back through it; exactly as long as the contracts
// say.
template <class T>
struct LstmResults {
  std::vector<T> y, h_n, c_n, cells, dx, dh0, dc0, dblock;

  bool operator==(const LstmResults& o) const {
    return y == o.y && h_n == o.h_n && c_n == o.c_n && cells == o.cells && dx == o.dx &&
           dh0 == o.dh0 && dc0 == o.dc0 && dblock == o.dblock;
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
    const index O = shape.outputs();
    const std::size_t rows = size(s.batch * s.steps);
    const std::size_t outputs = size(s.batch * O), states = size(s.batch * s.hidden);
    x = with_gaps(fill(rows * size(s.input), 1.5, 0), s.input);
    dy = with_gaps(fill(rows * size(O), 1, 0), O);
    dcells = with_gaps(fill(rows * size(s.hidden), 1, 0), s.hidden);
    h0 = fill(outputs, 0.8, 0);
    c0 = fill(states, 1.2, 0);
    dh_n = fill(outputs, 1, 0);
    dc_n = fill(states, 1, 0);
    for (index b = 0; b < s.batch; ++b) {
      // every length from 0 up, the longest one first and last
      lengths.push_back(b == 0 ? s.steps : (s.steps + b * 3) % (s.steps + 1));
    }
    for (std::size_t i = 0; i < rows; ++i) resets.push_back(numbers.next() > 0.5 ? 1 : 0);
    for (std::size_t i = 0; i < rows; ++i) mask.push_back(numbers.next() > -0.3 ? 1 : 0);
    pack();
  }

  static std::size_t size(index n) { return static_cast<std::size_t>(n); }
  static std::size_t count(const ops::LstmPart& part) {
    return size(part.layout.rows * part.layout.columns);
  }
  bool real(index b, index t) const {
    return (!sizes.lengths || t < lengths[size(b)]) &&
           (!sizes.mask || mask[size(b * sizes.steps + t)]);
  }
  // Does y of a step have a gradient: is it real, or does it hold what a real one gave out?
  bool shown(index b, index t) const {
    bool any = real(b, t);
    for (index i = 0; sizes.hold && i < sizes.steps; ++i)
      any = any || (real(b, i) && (sizes.reverse ? i > t : i < t));
    return any;
  }
  index stride(index width) const { return sizes.steps * width + kGap; }  // of rows
  double param(const char* name, index i) const {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      if (parts[p].name == name) return double(params[p][size(i)]);
    }
    return 0;
  }

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
    const index I = sizes.input, H = sizes.hidden, B = sizes.batch, O = shape.outputs();
    r.y.assign(size(B * stride(O)), T(kGuard));
    r.cells.assign(sizes.cells ? size(B * stride(H)) : 0, T(kGuard));
    r.h_n.assign(size(B * O), T(kGuard));
    r.c_n.assign(size(B * H), T(kGuard));
    ops::LstmCall<T> c{};
    c.steps = sizes.steps;
    c.batch = B;
    c.x = x.data();
    c.x_row = stride(I);
    c.x_step = I;
    c.y = r.y.data();
    c.y_row = stride(O);
    c.y_step = O;
    c.cells = sizes.cells ? r.cells.data() : nullptr;
    c.cells_row = stride(H);
    c.cells_step = H;
    c.h0 = sizes.states ? h0.data() : nullptr;
    c.c0 = sizes.states ? c0.data() : nullptr;
    c.h_n = r.h_n.data();
    c.c_n = r.c_n.data();
    c.lengths = sizes.lengths ? lengths.data() : nullptr;
    c.mask = sizes.mask ? mask.data() : nullptr;
    c.hold = sizes.hold;
    c.resets = sizes.resets ? resets.data() : nullptr;
    c.reverse = sizes.reverse;
    c.noise = sizes.noise;
    c.bptt_steps = sizes.bptt_steps;
    c.recompute_every = sizes.recompute_every;
    return c;
  }

  void infer(LstmResults<T>& r, ops::LstmWorkspace<T>& w) const {
    ops::lstm_forward(shape, block.data(), call(r), false, w);
  }

  void train(LstmResults<T>& r, ops::LstmWorkspace<T>& w) const {
    const index B = sizes.batch;
    const ops::LstmCall<T> c = call(r);
    ops::lstm_forward(shape, block.data(), c, true, w);
    r.dx.assign(size(B * stride(sizes.input)), T(kGuard));
    r.dh0.assign(size(B * shape.outputs()), T(kGuard));
    r.dc0.assign(size(B * sizes.hidden), T(kGuard));
    r.dblock.assign(size(shape.size()), T(0));
    ops::LstmGradients<T> g{};
    g.dy = dy.data();
    g.dcells = sizes.cells ? dcells.data() : nullptr;
    g.dh_n = dh_n.data();
    g.dc_n = dc_n.data();
    g.dx = r.dx.data();
    g.dh0 = r.dh0.data();
    g.dc0 = r.dc0.data();
    g.dblock = r.dblock.data();
    g.bias = true;
    ops::lstm_backward(shape, block.data(), c, g, w);
  }

  // What the gradients are gradients of, in training: sum of dy y + dcells cells + dh_n h_n
  // + dc_n c_n.
  double loss(ops::LstmWorkspace<T>& w) const {
    LstmResults<T> r;
    ops::lstm_forward(shape, block.data(), call(r), true, w);
    double sum = 0;
    const auto add = [&](const std::vector<T>& values, const std::vector<T>& d, index width) {
      for (index b = 0; b < sizes.batch; ++b) {
        for (index t = 0; t < sizes.steps; ++t) {
          const std::size_t first = size(b * stride(width) + t * width);
          for (std::size_t j = first; shown(b, t) && j < first + size(width); ++j)
            sum += double(values[j]) * double(d[j]);
        }
      }
    };
    add(r.y, dy, shape.outputs());
    if (sizes.cells) add(r.cells, dcells, sizes.hidden);
    for (std::size_t i = 0; i < r.h_n.size(); ++i) {
      sum += double(r.h_n[i]) * double(dh_n[i]);
    }
    for (std::size_t i = 0; i < r.c_n.size(); ++i) sum += double(r.c_n[i]) * double(dc_n[i]);
    return sum;
  }

  const LstmSizes sizes;
  const ops::LstmShape<T> shape;
  const std::vector<ops::LstmPart> parts;
  std::vector<std::vector<T>> params;  // logical, in the order of `parts`
  std::vector<T> block, x, dy, dcells, h0, c0, dh_n, dc_n;
  std::vector<index> lengths;
  std::vector<unsigned char> resets, mask;
};

}  // namespace lstmfast::test
