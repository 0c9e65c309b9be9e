// Dot: sums of products of two inputs along an axis of each, for all pairs of their other elements.
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

}  // namespace

Component dot() {
  return Family::of<Dot>(
      {{axis_option("axes.0", base::kRequired), axis_option("axes.1", base::kRequired),
        base::flag("normalize", false)}});
}

}  // namespace lstmfast::layers
