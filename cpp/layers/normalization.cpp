// Layers that normalise each sample along some of its axes: LayerNormalization, RMSNormalization,
// UnitNormalization.
#include <optional>

#include "layers/last_axes.h"
#include "layers/list.h"
#include "ops/norm.h"

namespace lstmfast::layers {
namespace {

using kernels::RowNorm;

// What a layer does, from its options. Parameters without a name are not there.
struct Norm {
  const char* layer;
  base::Value axes;
  RowNorm kind;
  double epsilon;
  const char* gamma;
  const char* beta;
};

template <class T>
class Normalization final : public AlongAxes<T, Normalization<T>> {
 public:
  struct State : LayerState {
    LastAxes<T> axes;
    base::Slot<T> stats;            // [batch][rows][2]
    base::Slot<double> sums, room;  // of the gradients of parameters
  };

  explicit Normalization(const Norm& norm)
      : AlongAxes<T, Normalization<T>>(norm.layer, norm.axes), norm_(norm) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape along = this->along_axes(inputs[0]);
    check_input(!this->built() || along == built_, norm_.layer, inputs[0],
                built_.text() + " along axis, for which the layer has weights");
    return inputs;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    my.axes = this->last_axes(my.shapes[0], planner, extent);
    const index rows = extent.batch * my.axes.rows(), columns = my.axes.columns();
    my.stats = planner.add<T>(2 * rows);
    if (!extent.training || this->parameters_.size() == 0) return;
    my.sums = planner.add<double>(2 * columns);
    my.room = planner.add<double>(ops::column_sums_room(rows, columns));
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    base::Arena& arena = *pass.arena;
    ops::normalise_rows<T>({norm_.kind, pass.batch * my.axes.rows(), my.axes.columns(),
                            static_cast<T>(norm_.epsilon), at(gamma_), at(beta_),
                            my.axes.moved(0, arena, pass.batch, in[0].values),
                            my.axes.place(1, arena, out[0].values), arena.at(my.stats)});
    my.axes.finish(1, arena, pass.batch, out[0].values);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    base::Arena& arena = *pass.arena;
    const index rows = pass.batch * my.axes.rows(), columns = my.axes.columns();
    const T* const x = my.axes.place(0, arena, const_cast<T*>(in[0].values));  // only read
    const T* const dy = my.axes.moved(1, arena, pass.batch, out[0].gradient);
    const T* const stats = arena.at(my.stats);
    if (T* const gradients = this->gradients(pass, my)) {
      kernels::ColumnSums<T> matrix{kernels::ColumnSum::of_rows, rows, columns, x, dy};
      matrix.stats = stats;
      matrix.centered = norm_.kind == RowNorm::layer;
      matrix.sums = arena.at(my.sums);
      ops::column_sums(matrix, arena.at(my.room));
      add(matrix.sums, gamma_, gradients);
      add(matrix.sums + columns, beta_, gradients);
    }
    if (in[0].gradient == nullptr) return;
    ops::normalise_rows_backward<T>({norm_.kind, rows, columns, static_cast<T>(norm_.epsilon),
                                     at(gamma_), x, stats, dy,
                                     my.axes.place(2, arena, in[0].gradient)});
    my.axes.finish(2, arena, pass.batch, in[0].gradient);
  }

 private:
  using Block = std::optional<index>;  // of a parameter, if the layer has it

  const T* at(const Block& block) const { return block ? this->values() + *block : nullptr; }
  void add(const double* sums, const Block& block, T* gradients) const {
    for (index c = 0; block && c < built_.count(); ++c)
      gradients[*block + c] += static_cast<T>(sums[c]);
  }

  void declare_parameters(const Shapes& inputs) override {
    built_ = this->along_axes(inputs[0]);
    const std::vector<index> shape(built_.begin(), built_.end());
    if (norm_.gamma != nullptr) gamma_ = this->parameters_.add_plain(norm_.gamma, shape);
    if (norm_.beta != nullptr) beta_ = this->parameters_.add_plain(norm_.beta, shape);
  }

  Norm norm_;
  Shape built_;  // of the parameters
  Block gamma_, beta_;
};

Norm layer_norm(const base::Values& options) {
  const bool rms = options["rms_scaling"].flag();
  return {"layer_normalization",
          options["axis"],
          rms ? RowNorm::variance : RowNorm::layer,
          options["epsilon"].number(),
          rms || options["scale"].flag() ? "gamma" : nullptr,
          !rms && options["center"].flag() ? "beta" : nullptr};
}
Norm rms_norm(const base::Values& options) {
  return {"rms_normalization",         options["axis"], RowNorm::rms,
          options["epsilon"].number(), "scale",         nullptr};
}
Norm unit_norm(const base::Values& options) {
  constexpr double kLeastLength = 1e-12;  // Keras's
  return {"unit_normalization", options["axis"], RowNorm::unit, kLeastLength, nullptr, nullptr};
}

template <class T, Norm (*norm)(const base::Values&)>
std::unique_ptr<Layer<T>> make(const base::Values& options, const Children&) {
  return std::make_unique<Normalization<T>>(norm(options));
}
template <Norm (*norm)(const base::Values&)>
Component component(const base::OptionTable& more) {
  return {base::OptionTable{{axes_option("axis", -1)}} + more, make<float, norm>,
          make<double, norm>};
}

base::Option epsilon(double fallback) {
  return base::number("epsilon", fallback, base::at_least(0));
}

}  // namespace

Component layer_normalization() {
  return component<layer_norm>({{epsilon(1e-3), base::flag("center", true),
                                 base::flag("scale", true), base::flag("rms_scaling", false)}});
}
Component rms_normalization() { return component<rms_norm>({{epsilon(1e-6)}}); }
Component unit_normalization() { return component<unit_norm>({}); }

}  // namespace lstmfast::layers
