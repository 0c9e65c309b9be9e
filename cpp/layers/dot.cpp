// Dot: sums of products of two inputs along an axis of each, for all pairs of their other elements;
// and products of matrices.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/matrix.h"

namespace lstmfast::layers {
namespace {

// Keras's epsilon: smaller norms are replaced by it.
constexpr double kLeastNorm = 1e-7;

// Returns the memory of products of pairs of matrices, as many as threads.
template <class T>
base::Slot<T> plan_products(ops::Products<T>& products, base::Planner& planner,
                            const Extent& extent) {
  products.threads = base::team::get_num_threads();
  return planner.add<T>(products.threads * products.scratch(extent.training));
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
    ops::Products<T> products;
    base::Slot<T> scratch;
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
    my.products = {0, my.sides[0].vectors, my.terms, my.sides[1].vectors, true};
    my.scratch = plan_products(my.products, planner, extent);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    T* const a = vectors(pass, my, 0, in[0].values);
    T* const b = vectors(pass, my, 1, in[1].values);
    my.products.count = pass.batch;
    my.products.forward(a, b, out[0].values, pass.arena->at(my.scratch));
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const a = pass.arena->at(my.sides[0].x);
    const T* const b = pass.arena->at(my.sides[1].x);
    T* const da = pass.arena->at(my.sides[0].dx);
    T* const db = pass.arena->at(my.sides[1].dx);
    my.products.backward(out[0].gradient, a, b, in[0].gradient ? da : nullptr,
                         in[1].gradient ? db : nullptr, pass.arena->at(my.scratch));
    if (in[0].gradient) scatter(pass, my, 0, in[0].gradient);
    if (in[1].gradient) scatter(pass, my, 1, in[1].gradient);
  }

 private:
  int axis_of(const Shapes& inputs, int side) const {
    return sample_axis("dot", axes_[side], inputs[static_cast<std::size_t>(side)]);
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
    ops::Products<T> products;
    index matrices = 0;  // of a sample
    base::Slot<T> scratch;
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
    const index rows = a.rows() / std::max<index>(1, my.matrices);
    my.products = {0, rows, a.features(), b.rank == 1 ? 1 : b.features(), false};
    my.scratch = plan_products(my.products, planner, extent);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    my.products.count = pass.batch * my.matrices;
    my.products.forward(in[0].values, in[1].values, out[0].values, pass.arena->at(my.scratch));
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    my.products.backward(out[0].gradient, in[0].values, in[1].values, in[0].gradient,
                         in[1].gradient, pass.arena->at(my.scratch));
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
