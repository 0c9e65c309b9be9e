// Dot: sums of products of two inputs along an axis of each, for all pairs of their other elements;
// and products of matrices.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// Keras's epsilon: smaller norms are replaced by it.
constexpr double kLeastNorm = 1e-7;

// y [rows][columns] = the sum over k, ascending, of a(row, k) b [terms][columns].
template <class T>
void product(index rows, index terms, index columns, const T* a, index a_row, index a_term,
             const T* b, T* y) {
  for (index r = 0; r < rows; ++r, y += columns) {
    std::fill_n(y, columns, T(0));
    for (index k = 0; k < terms; ++k) {
      const T factor = a[r * a_row + k * a_term];
      const T* const from = b + k * columns;
      for (index c = 0; c < columns; ++c) y[c] += factor * from[c];
    }
  }
}

template <class T>
class Dot final : public LayerWith<T, Dot<T>> {
 public:
  // An input as vectors [batch][vectors][terms], the axis of the sum last.
  struct Side {
    Rearrangement map;
    index vectors = 0;
    base::Slot<T> x, dx, norms;
  };
  struct State : LayerState {
    Side sides[2];
    index terms = 0;
    Rearrangement transpose;  // of the second side, to [terms][vectors]
    base::Slot<T> transposed;
  };

  explicit Dot(const base::Values& options)
      : axes_{options["axes.0"].integer(), options["axes.1"].integer()},
        normalize_(options["normalize"].flag()) {}

  InputCount input_count() const override { return {2, 2}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    const int first = axis_of(inputs, 0), second = axis_of(inputs, 1);
    LF_CHECK(may_equal(inputs[0].sizes[first], inputs[1].sizes[second]),
             "[dot] inputs of a sample have shapes "
                 << inputs[0].text() << " and " << inputs[1].text() << "; expected equal sizes at "
                 << "axis " << axes_[0] << " of the first and " << axes_[1] << " of the second");
    const Shape out = inputs[0].without(first) + inputs[1].without(second);
    return {out.rank == 0 ? Shape{1} : out};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  double flops(const Shapes& inputs) const override {
    return 2.0 * static_cast<double>(inputs[0].sizes[axis_of(inputs, 0)]) *
           static_cast<double>(output_shapes(inputs)[0].count());
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    for (int d = 0; d < 2; ++d) {
      Side& side = my.sides[d];
      const Shape& input = extent.inputs[static_cast<std::size_t>(d)];
      const int axis = axis_of(extent.inputs, d);
      std::vector<int> order(static_cast<std::size_t>(input.rank));
      std::iota(order.begin(), order.end(), 0);
      std::rotate(order.begin() + axis, order.begin() + axis + 1, order.end());
      side.map = permuted(input, order);
      side.vectors = input.without(axis).count();
      my.terms = input.sizes[axis];
      const index count = extent.batch * input.count();
      side.x = planner.add<T>(count);
      side.dx = planner.add<T>(extent.training ? count : 0);
      side.norms = planner.add<T>(normalize_ ? extent.batch * side.vectors : 0);
    }
    my.transpose = permuted({my.sides[1].vectors, my.terms}, {1, 0});
    my.transposed = planner.add<T>(my.sides[1].x.count);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    T* const a = vectors(pass, my, 0, in[0].values);
    T* const b = vectors(pass, my, 1, in[1].values);
    T* const transposed = pass.arena->at(my.transposed);
    my.transpose.forward(pass.batch, b, transposed);
    for_samples(pass, my, [&](index s, index P, index Q, index K) {
      product<T>(P, K, Q, a + s * P * K, K, 1, transposed + s * K * Q, out[0].values + s * P * Q);
    });
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const a = pass.arena->at(my.sides[0].x);
    const T* const b = pass.arena->at(my.sides[1].x);
    T* const da = pass.arena->at(my.sides[0].dx);
    T* const db = pass.arena->at(my.sides[1].dx);
    for_samples(pass, my, [&](index s, index P, index Q, index K) {
      const T* const dy = out[0].gradient + s * P * Q;
      if (in[0].gradient) product<T>(P, Q, K, dy, Q, 1, b + s * Q * K, da + s * P * K);
      if (in[1].gradient) product<T>(Q, P, K, dy, 1, Q, a + s * P * K, db + s * Q * K);
    });
    if (in[0].gradient) scatter(pass, my, 0, in[0].gradient);
    if (in[1].gradient) scatter(pass, my, 1, in[1].gradient);
  }

 private:
  int axis_of(const Shapes& inputs, int side) const {
    return sample_axis("dot", axes_[side], inputs[static_cast<std::size_t>(side)]);
  }

  // Calls f(sample, vectors of the first side, of the second, terms).
  template <class F>
  static void for_samples(const Pass<T>& pass, const State& my, F f) {
    const index P = my.sides[0].vectors, Q = my.sides[1].vectors, K = my.terms;
    ops::for_items(pass.batch, P * Q * K, [&](index begin, index end) {
      for (index s = begin; s < end; ++s) f(s, P, Q, K);
    });
  }

  // The vectors of an input, as x / |x| if the layer normalises.
  T* vectors(const Pass<T>& pass, const State& my, int side, const T* values) const {
    const Side& own = my.sides[side];
    T* const x = pass.arena->at(own.x);
    own.map.forward(pass.batch, values, x);
    T* const norms = pass.arena->at(own.norms);
    for (index v = 0; normalize_ && v < pass.batch * own.vectors; ++v) {
      T* const vector = x + v * my.terms;
      T squares = 0;
      for (index k = 0; k < my.terms; ++k) squares += vector[k] * vector[k];
      norms[v] = std::max(std::sqrt(squares), static_cast<T>(kLeastNorm));
      for (index k = 0; k < my.terms; ++k) vector[k] /= norms[v];
    }
    return x;
  }

  // From the gradients of the vectors v = x / |x|: dx = (dv - v (v dv)) / |x|.
  void scatter(const Pass<T>& pass, const State& my, int side, T* dx) const {
    const Side& own = my.sides[side];
    T* const gradients = pass.arena->at(own.dx);
    const T* const norms = pass.arena->at(own.norms);
    for (index v = 0; normalize_ && v < pass.batch * own.vectors; ++v) {
      const T* const vector = pass.arena->at(own.x) + v * my.terms;
      T* const dv = gradients + v * my.terms;
      T along = 0;
      for (index k = 0; k < my.terms; ++k) along += vector[k] * dv[k];
      if (norms[v] <= static_cast<T>(kLeastNorm)) along = 0;  // the divisor is constant
      for (index k = 0; k < my.terms; ++k) dv[k] = (dv[k] - vector[k] * along) / norms[v];
    }
    own.map.backward(pass.batch, gradients, dx);
  }

  index axes_[2];
  bool normalize_;
};

// y = a b of the last two axes, for each of those before them, which are equal; a vector is a row
// on the left, a column on the right. Where b has two axes, those of a before its last are rows.
template <class T>
class MatMul final : public LayerWith<T, MatMul<T>> {
 public:
  struct State : LayerState {
    index rows = 0, terms = 0, columns = 0, matrices = 0;  // of a sample
    Rearrangement transpose;                               // of a sample of b
    base::Slot<T> transposed;
  };

  InputCount input_count() const override { return {2, 2}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape &a = inputs[0], &b = inputs[1];
    const int lead = std::max(0, b.rank - 2), along = std::max(0, b.rank - 2);
    bool fits = a.rank >= 1 && b.rank >= 1 && may_equal(a.features(), b.sizes[along]) &&
                (lead == 0 || a.rank == b.rank);
    for (int i = 0; fits && i < lead; ++i) fits = may_equal(a.sizes[i], b.sizes[i]);
    LF_CHECK(fits, "[matmul] inputs of a sample have shapes " << a.text() << " and " << b.text()
                                                              << "; expected matrices that fit");
    return {b.rank == 1 ? a.without(a.rank - 1) : a.with_features(b.features())};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  double flops(const Shapes& inputs) const override {
    return 2.0 * static_cast<double>(inputs[0].count()) *
           static_cast<double>(inputs[1].rank == 1 ? 1 : inputs[1].features());
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape &a = my.shapes[0], &b = my.shapes[1];
    my.matrices = b.count(0, b.rank - 2);
    my.terms = a.features();
    my.columns = b.rank == 1 ? 1 : b.features();
    my.rows = a.rows() / std::max<index>(1, my.matrices);
    my.transpose = permuted({my.matrices, my.terms, my.columns}, {0, 2, 1});
    my.transposed = planner.add<T>(extent.training ? extent.batch * b.count() : 0);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    for_matrices(pass, my, [&](index m, index R, index K, index C) {
      product<T>(R, K, C, in[0].values + m * R * K, K, 1, in[1].values + m * K * C,
                 out[0].values + m * R * C);
    });
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    T* const transposed = pass.arena->at(my.transposed);
    if (in[0].gradient) my.transpose.forward(pass.batch, in[1].values, transposed);
    for_matrices(pass, my, [&](index m, index R, index K, index C) {
      const T* const dy = out[0].gradient + m * R * C;
      if (in[0].gradient)
        product<T>(R, C, K, dy, C, 1, transposed + m * K * C, in[0].gradient + m * R * K);
      if (in[1].gradient)
        product<T>(K, R, C, in[0].values + m * R * K, 1, K, dy, in[1].gradient + m * K * C);
    });
  }

 private:
  template <class F>
  static void for_matrices(const Pass<T>& pass, const State& my, F f) {
    const index R = my.rows, K = my.terms, C = my.columns;
    ops::for_items(pass.batch * my.matrices, R * K * C, [&](index begin, index end) {
      for (index m = begin; m < end; ++m) f(m, R, K, C);
    });
  }
};

}  // namespace

Component matmul() { return Family::of<MatMul>(); }

Component dot() {
  return Family::of<Dot>(
      {{axis_option("axes.0", base::kRequired), axis_option("axes.1", base::kRequired),
        base::flag("normalize", false)}});
}

}  // namespace lstmfast::layers
