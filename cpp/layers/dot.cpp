// Dot: sums of products of two inputs along an axis of each, for all pairs of their other elements.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// Keras's epsilon: smaller norms are replaced by it.
constexpr double kLeastNorm = 1e-7;

template <class T>
struct DotState : LayerState {
  // An input as vectors [batch][vectors][terms], the axis of the sum last.
  struct Side {
    Rearrangement map;
    index vectors = 0;
    base::Slot<T> x, dx, norms;
  };
  Side sides[2];
  index terms = 0;
  base::Slot<T> transposed;  // [batch][terms][vectors of the second side]
};

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
class Dot final : public LayerWith<T, DotState<T>> {
 public:
  explicit Dot(const base::Values& options)
      : axes_{options["axes.0"].integer(), options["axes.1"].integer()},
        normalize_(options["normalize"].flag()) {}

  index least_inputs() const override { return 2; }
  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    LF_CHECK(inputs.size() == 2, "[dot] got " << inputs.size() << " inputs; expected 2");
    const int first = axis_of(inputs, 0), second = axis_of(inputs, 1);
    const index a = inputs[0].sizes[first], b = inputs[1].sizes[second];
    LF_CHECK(a == b || a == kAnySize || b == kAnySize,
             "[dot] inputs of a sample have shapes "
                 << inputs[0].text() << " and " << inputs[1].text() << "; expected equal sizes at "
                 << "axis " << axes_[0] << " of the first and " << axes_[1] << " of the second");
    Shape out;
    for (int i = 0; i < inputs[0].rank; ++i) {
      if (i != first) out.append(inputs[0].sizes[i]);
    }
    for (int i = 0; i < inputs[1].rank; ++i) {
      if (i != second) out.append(inputs[1].sizes[i]);
    }
    if (out.rank == 0) out.append(1);
    return {out};
  }
  bool masks(const std::vector<bool>&) const override { return false; }
  double flops(const std::vector<Shape>& inputs) const override {
    return 2.0 * static_cast<double>(inputs[0].sizes[axis_of(inputs, 0)]) *
           static_cast<double>(output_shapes(inputs)[0].count());
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    DotState<T>& my = static_cast<DotState<T>&>(state);
    for (int d = 0; d < 2; ++d) {
      typename DotState<T>::Side& side = my.sides[d];
      const Shape& input = extent.inputs[static_cast<std::size_t>(d)];
      const int axis = axis_of(extent.inputs, d);
      my.terms = input.sizes[axis];
      side.vectors = 1;
      for (int i = 0; i < input.rank; ++i) side.vectors *= i == axis ? 1 : input.sizes[i];
      side.map = Rearrangement(input.count());
      index stride = input.count();
      index own_stride = 1;
      for (int i = 0; i < input.rank; ++i) {
        stride /= std::max<index>(1, input.sizes[i]);
        i == axis ? static_cast<void>(own_stride = stride) : side.map.add(input.sizes[i], stride);
      }
      side.map.add(my.terms, own_stride);
      side.x = planner.add<T>(extent.batch * input.count());
      side.dx = planner.add<T>(extent.training ? extent.batch * input.count() : 0);
      side.norms = planner.add<T>(normalize_ ? extent.batch * side.vectors : 0);
    }
    my.transposed = planner.add<T>(extent.batch * extent.inputs[1].count());
  }

  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    const DotState<T>& my = static_cast<DotState<T>&>(state);
    out[0].mask = nullptr;
    T* const a = vectors(pass, my, 0, in[0].values);
    T* const b = vectors(pass, my, 1, in[1].values);
    T* const transposed = pass.arena->at(my.transposed);
    const index P = my.sides[0].vectors, Q = my.sides[1].vectors, K = my.terms;
    for_samples(pass, my, [&](index s) {
      T* const bt = transposed + s * K * Q;
      for (index q = 0; q < Q; ++q) {
        for (index k = 0; k < K; ++k) bt[k * Q + q] = b[(s * Q + q) * K + k];
      }
      product<T>(P, K, Q, a + s * P * K, K, 1, bt, out[0].values + s * P * Q);
    });
  }

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const DotState<T>& my = static_cast<DotState<T>&>(state);
    const index P = my.sides[0].vectors, Q = my.sides[1].vectors, K = my.terms;
    const T* const a = pass.arena->at(my.sides[0].x);
    const T* const b = pass.arena->at(my.sides[1].x);
    T* const da = pass.arena->at(my.sides[0].dx);
    T* const db = pass.arena->at(my.sides[1].dx);
    for_samples(pass, my, [&](index s) {
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

  template <class F>
  static void for_samples(const Pass<T>& pass, const DotState<T>& my, F f) {
    const index work = my.sides[0].vectors * my.sides[1].vectors * my.terms;
    const index grain = std::max<index>(1, ops::kStreamGrain / std::max<index>(1, work));
    ops::for_shares(pass.batch, grain, [&](index begin, index end) {
      for (index s = begin; s < end; ++s) f(s);
    });
  }

  // The vectors of an input, as x / |x| if the layer normalises.
  T* vectors(const Pass<T>& pass, const DotState<T>& my, int side, const T* values) const {
    const typename DotState<T>::Side& own = my.sides[side];
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
  void scatter(const Pass<T>& pass, const DotState<T>& my, int side, T* dx) const {
    const typename DotState<T>::Side& own = my.sides[side];
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
