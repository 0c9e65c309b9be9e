// Rectifiers with numbers or weights of their own: ReLU and PReLU.
#include <algorithm>
#include <limits>

#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/norm.h"

namespace lstmfast::layers {
namespace {

// y = x above the threshold, at most max_value; below it negative_slope (x - threshold).
template <class T>
class Relu final : public LayerWith<T, Relu<T>> {
 public:
  explicit Relu(const base::Values& options)
      : most_(options["max_value"].none() ? std::numeric_limits<double>::infinity()
                                          : options["max_value"].number()),
        slope_(options["negative_slope"].number()),
        threshold_(options["threshold"].number()) {}

  Shapes output_shapes(const Shapes& inputs) const override { return inputs; }
  bool keeps_steps(const Shapes&) const override { return true; }

  void run_forward(const Pass<T>& pass, LayerState& my, const Ins<T>& in, Outs<T>& out) const {
    ops::rectify(of(pass, my, in, out[0].values));
  }
  void run_backward(const Pass<T>& pass, LayerState& my, const Ins<T>& in,
                    const Outs<T>& out) const {
    if (in[0].gradient == nullptr) return;
    ops::rectify_backward<T>({of(pass, my, in, nullptr), out[0].gradient, in[0].gradient});
  }

 private:
  kernels::Rectify<T> of(const Pass<T>& pass, const LayerState& my, const Ins<T>& in, T* y) const {
    return {pass.batch * my.shapes[0].rows(),
            my.shapes[0].features(),
            static_cast<T>(threshold_),
            static_cast<T>(most_),
            static_cast<T>(slope_),
            nullptr,
            in[0].values,
            y};
  }

  double most_, slope_, threshold_;
};

// y = x above 0, alpha x below it; alpha has the shape of a sample, and 1 along shared axes.
template <class T>
class PRelu final : public LayerWith<T, PRelu<T>> {
 public:
  struct State : LayerState {
    Rearrangement stretch;  // of alpha to a sample
    base::Slot<T> alphas;   // [sample]
    base::Slot<T> dalphas, dalpha;
    base::Slot<double> sums, room;
  };

  explicit PRelu(const base::Values& options) {
    if (!options["shared_axes"].none()) shared_ = options["shared_axes"].extents();
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape shape = alpha_shape(inputs[0]);
    check_input(!this->built() || shape == shape_, "p_re_lu", inputs[0],
                "weights of shape " + shape_.text() + ", which the layer has");
    return inputs;
  }
  bool keeps_steps(const Shapes&) const override { return shape_.sizes[0] == 1; }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape& shape = my.shapes[0];
    my.stretch = stretched(shape_, shape);
    my.alphas = planner.add<T>(shape.count());
    if (!extent.training) return;
    my.dalphas = planner.add<T>(shape.count());
    my.dalpha = planner.add<T>(shape_.count());
    my.sums = planner.add<double>(shape.count());
    my.room = planner.add<double>(ops::column_sums_room(extent.batch, shape.count()));
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    my.stretch.forward(1, this->values(), pass.arena->at(my.alphas));
    ops::rectify(of(pass, my, in, out[0].values));
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const dy = out[0].gradient;
    base::Arena& arena = *pass.arena;
    if (T* const gradients = this->gradients(pass, my)) {
      const index count = my.shapes[0].count();
      kernels::ColumnSums<T> matrix{kernels::ColumnSum::negatives, pass.batch, count, in[0].values,
                                    dy};
      matrix.sums = arena.at(my.sums);
      ops::column_sums(matrix, arena.at(my.room));
      T* const all = arena.at(my.dalphas);
      std::transform(matrix.sums, matrix.sums + count, all,
                     [](double sum) { return static_cast<T>(sum); });
      T* const own = arena.at(my.dalpha);
      my.stretch.backward(1, static_cast<const T*>(all), own);
      for (index i = 0; i < shape_.count(); ++i) gradients[i] += own[i];
    }
    if (in[0].gradient == nullptr) return;
    ops::rectify_backward<T>({of(pass, my, in, nullptr), dy, in[0].gradient});
  }

 private:
  Shape alpha_shape(const Shape& input) const {
    Shape out = input;
    for (const index axis : shared_) out.sizes[sample_axis("p_re_lu", axis, input)] = 1;
    check_input(out.rank >= 1 && out.known() && out.count() > 0, "p_re_lu", input,
                "known sizes but along shared_axes");
    return out;
  }
  kernels::Rectify<T> of(const Pass<T>& pass, State& my, const Ins<T>& in, T* y) const {
    return {pass.batch,
            my.shapes[0].count(),
            0,
            std::numeric_limits<T>::infinity(),
            0,
            pass.arena->at(my.alphas),
            in[0].values,
            y};
  }
  void declare_parameters(const Shapes& inputs) override {
    shape_ = alpha_shape(inputs[0]);
    this->parameters_.add_plain("alpha", {shape_.begin(), shape_.end()});
  }

  base::Extents shared_;
  Shape shape_;
};

base::Option slope(const char* name, base::Fallback fallback) {
  return base::number(name, std::move(fallback), base::at_least(0));
}

base::Option shared_axes() {
  base::Option out = axes_option("shared_axes", base::none());
  out.expected += ", or None";
  out.normalise = [among = out.normalise, expected = out.expected](base::Value& value) {
    if (!among(value).empty()) return expected;
    if (value.kind() == base::Value::Kind::integer) value = base::Extents{value.integer()};
    return std::string();
  };
  return out;
}

}  // namespace

Component re_lu() {
  return Family::of<Relu>(
      {{slope("max_value", base::none()), slope("negative_slope", 0.0), slope("threshold", 0.0)}});
}
Component p_re_lu() { return Family::of<PRelu>({{shared_axes()}}); }

}  // namespace lstmfast::layers
