// What users' code in Python does with tensors besides functions of elements: reductions, weights
// and constants as values, masks as numbers.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "layers/last_axes.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

const std::vector<std::string> kReductions = {"sum",  "mean",   "max",   "min",
                                              "prod", "argmax", "argmin"};
enum class Reduction { sum, mean, max, min, prod, argmax, argmin };

// Sums, means, extremes, their places or products along axes. Equal extremes share the gradient.
template <class T>
class Reduce final : public LayerWith<T, Reduce<T>> {
 public:
  struct State : LayerState {
    LastAxes<T> axes;
  };

  explicit Reduce(const base::Values& options)
      : axes_(options["axis"]), keeps_(options["keepdims"].flag()) {
    const auto at = std::find(kReductions.begin(), kReductions.end(), options["function"].text());
    kind_ = static_cast<Reduction>(at - kReductions.begin());
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    std::vector<int> axes = axes_of(inputs[0]);
    Shape out = inputs[0];
    for (std::size_t i = axes.size(); i-- > 0;) {
      if (keeps_) {
        out.sizes[axes[i]] = 1;
      } else {
        out = out.without(axes[i]);
      }
    }
    return {out};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool keeps_steps(const Shapes& inputs) const override { return axes_of(inputs[0])[0] > 0; }
  double flops(const Shapes& inputs) const override {
    return 2.0 * static_cast<double>(inputs[0].count());
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape& shape = my.shapes[0];
    my.axes = LastAxes<T>(shape, axes_of(shape), extent.batch, planner, extent.training ? 2 : 1);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    const T* const x = my.axes.moved(0, *pass.arena, pass.batch, in[0].values);
    for_rows(pass, my, [&](index r, index n) { out[0].values[r] = reduced(n, x + r * n); });
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    const T* const x = my.axes.moved(0, *pass.arena, pass.batch, in[0].values);
    T* const dx = my.axes.place(1, *pass.arena, in[0].gradient);
    for_rows(pass, my, [&](index r, index n) {
      spread(n, x + r * n, out[0].values[r], out[0].gradient[r], dx + r * n);
    });
    my.axes.finish(1, *pass.arena, pass.batch, in[0].gradient);
  }

 private:
  // Calls f(row, elements) for all rows.
  template <class F>
  static void for_rows(const Pass<T>& pass, const State& my, F f) {
    const index n = my.axes.columns();
    ops::for_items(pass.batch * my.axes.rows(), n, [&](index begin, index end) {
      for (index r = begin; r < end; ++r) f(r, n);
    });
  }

  // Whether `b` replaces `a`, which comes before it, as the extreme; the first NaN is it.
  bool beats(T b, T a) const {
    const bool most = kind_ == Reduction::max || kind_ == Reduction::argmax;
    return a == a && ((most ? b > a : b < a) || b != b);
  }

  T reduced(index n, const T* x) const {
    if (kind_ == Reduction::prod) return std::accumulate(x, x + n, T(1), std::multiplies<T>());
    if (kind_ <= Reduction::mean) {
      const double sum = std::accumulate(x, x + n, 0.0);
      return static_cast<T>(kind_ == Reduction::mean ? sum / static_cast<double>(n) : sum);
    }
    index best = 0;
    for (index i = 1; i < n; ++i) best = beats(x[i], x[best]) ? i : best;
    return kind_ >= Reduction::argmax ? static_cast<T>(best) : x[best];
  }

  void spread(index n, const T* x, T y, T dy, T* dx) const {
    if (kind_ == Reduction::prod) {  // dy times the elements before, then those after
      T before = dy, after = 1;
      for (index i = 0; i < n; before *= x[i++]) dx[i] = before;
      for (index i = n; i-- > 0; after *= x[i]) dx[i] *= after;
    } else if (kind_ <= Reduction::mean) {
      std::fill_n(dx, n, kind_ == Reduction::mean ? dy / static_cast<T>(n) : dy);
    } else if (kind_ >= Reduction::argmax) {
      std::fill_n(dx, n, T(0));
    } else {
      const T share = dy / static_cast<T>(std::max<index>(1, std::count(x, x + n, y)));
      for (index i = 0; i < n; ++i) dx[i] = x[i] == y ? share : T(0);
    }
  }

  std::vector<int> axes_of(const Shape& input) const { return sample_axes("reduce", axes_, input); }

  base::Value axes_;
  bool keeps_;
  Reduction kind_;
};

// The sum of the elements up to each along an axis.
template <class T>
class CumulativeSum final : public LayerWith<T, CumulativeSum<T>> {
 public:
  struct State : LayerState {
    LastAxes<T> axes;
  };

  explicit CumulativeSum(const base::Values& options) : axis_(options["axis"]) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    sample_axes("cumsum", axis_, inputs[0]);
    return {inputs[0]};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool keeps_steps(const Shapes& inputs) const override {
    return sample_axes("cumsum", axis_, inputs[0])[0] > 0;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape& shape = my.shapes[0];
    my.axes = LastAxes<T>(shape, sample_axes("cumsum", axis_, shape), extent.batch, planner, 1);
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    add_up(pass, my, in[0].values, out[0].values, 0, 1);
  }
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    add_up(pass, my, static_cast<const T*>(out[0].gradient), in[0].gradient, my.axes.columns() - 1,
           -1);
  }

 private:
  // From the element `first` of each row on, in steps of `step`.
  static void add_up(const Pass<T>& pass, const State& my, const T* from, T* to, index first,
                     index step) {
    const T* const x = my.axes.moved(0, *pass.arena, pass.batch, from);
    T* const y = my.axes.place(0, *pass.arena, to);  // may be x
    const index n = my.axes.columns();
    ops::for_items(pass.batch * my.axes.rows(), n, [&](index begin, index end) {
      for (index r = begin; r < end; ++r) {
        double sum = 0;
        for (index i = r * n + first, left = n; left > 0; --left, i += step) {
          y[i] = static_cast<T>(sum += static_cast<double>(x[i]));
        }
      }
    });
    my.axes.finish(0, *pass.arena, pass.batch, to);
  }

  base::Value axis_;
};

// A weight, or numbers of the configuration, as a value of each sample; its input says how many
// there are.
template <class T>
class Source final : public LayerWith<T, Source<T>> {
 public:
  explicit Source(const base::Values& options) : shape_(options["shape"].extents()) {
    if (options.all().count("values") > 0) {
      for (const double value : options["values"].numbers()) {
        numbers_.push_back(static_cast<T>(value));
      }
    } else {
      trained_ = options["trained"].flag();
    }
  }

  // Numbers can be ids for an Embedding.
  bool moves_ids() const override { return !numbers_.empty(); }
  Elements input_elements(index, Elements wanted) const override {
    for (const T number : wanted.ids > 0 ? numbers_ : std::vector<T>()) {
      LF_CHECK(number >= 0 && number < static_cast<T>(wanted.ids) && std::floor(number) == number,
               "[constant] an id is " << number << "; expected ids from 0 to " << wanted.ids - 1);
    }
    return {false, 0};
  }
  Shapes output_shapes(const Shapes&) const override { return {shape_}; }
  bool masks(index, const std::vector<bool>&) const override { return false; }

  void run_forward(const Pass<T>& pass, LayerState&, const Ins<T>&, Outs<T>& out) const {
    out[0].mask = nullptr;
    const T* const from = numbers_.empty() ? this->values() : numbers_.data();
    const index n = shape_.count();
    for (index b = 0; b < pass.batch; ++b) {
      if (out[0].values != nullptr) std::copy_n(from, n, out[0].values + b * n);
      for (index i = 0; out[0].ids != nullptr && i < n; ++i) {
        out[0].ids[b * n + i] = static_cast<std::int32_t>(from[i]);
      }
    }
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient != nullptr) {
      std::fill_n(in[0].gradient, pass.batch * my.shapes[0].count(), T(0));
    }
    if (!trained_) return;
    T* const gradients = this->gradients(pass, my);
    const index n = shape_.count();
    for (index b = 0; gradients != nullptr && b < pass.batch; ++b) {
      ops::add(n, static_cast<const T*>(gradients), out[0].gradient + b * n, gradients);
    }
  }

 private:
  void declare_parameters(const Shapes&) override {
    if (!numbers_.empty()) return;
    const std::vector<index> shape(shape_.begin(), shape_.end());
    trained_ ? this->parameters_.add_plain("kernel", shape)
             : this->parameters_.add_statistic("kernel", shape);
  }

  Shape shape_;
  std::vector<T> numbers_;
  bool trained_ = false;
};

// The mask of the input as 0 and 1 (without one, 1).
template <class T>
struct MaskValues final : LayerWith<T, MaskValues<T>> {
  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank >= 1, "mask_values", inputs[0], "(..., features)");
    return {inputs[0].without(inputs[0].rank - 1)};
  }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    const index count = pass.batch * my.shapes[0].rows();
    std::fill_n(out[0].values, count, T(1));
    if (in[0].mask != nullptr) std::copy_n(in[0].mask, count, out[0].values);
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, const Outs<T>&) const {
    if (in[0].gradient == nullptr) return;
    std::fill_n(in[0].gradient, pass.batch * my.shapes[0].count(), T(0));
  }
};

// The first input with the mask of the second, which has as many rows.
template <class T>
struct WithMask final : LayerWith<T, WithMask<T>> {
  InputCount input_count() const override { return {2, 2}; }
  Shapes output_shapes(const Shapes& inputs) const override { return {inputs[0]}; }
  bool masks(index, const std::vector<bool>& masked) const override { return masked[1]; }
  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    std::copy_n(in[0].values, pass.batch * my.shapes[0].count(), out[0].values);
    out[0].mask = my.shapes[0].rows() == my.shapes[1].rows() ? in[1].mask : nullptr;
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient != nullptr) {
      std::copy_n(out[0].gradient, pass.batch * my.shapes[0].count(), in[0].gradient);
    }
    if (in[1].gradient != nullptr) {
      std::fill_n(in[1].gradient, pass.batch * my.shapes[1].count(), T(0));
    }
  }
};

base::Option shape_option() { return base::extents("shape", base::kRequired); }

}  // namespace

Component reduce() {
  return Family::of<Reduce>(
      {{base::text("function", base::kRequired, kReductions), axes_option("axis", base::kRequired),
        base::flag("keepdims", false)}});
}
Component cumsum() { return Family::of<CumulativeSum>({{axis_option("axis", base::kRequired)}}); }
Component weight() { return Family::of<Source>({{shape_option(), base::flag("trained", true)}}); }
Component constant() {
  base::OptionTable options = {{shape_option(), base::numbers("values", base::kRequired)}};
  options.together = [](const base::Values& values) {
    const Shape shape(values["shape"].extents());
    if (static_cast<index>(values["values"].numbers().size()) == shape.count()) return;
    values.fail("values", "as many numbers as shape has");
  };
  return Family::of<Source>(options);
}
Component mask_values() { return Family::of<MaskValues>(); }
Component with_mask() { return Family::of<WithMask>(); }

}  // namespace lstmfast::layers
