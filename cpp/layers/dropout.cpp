// Layers that are random in training and pass their input on otherwise: Dropout, SpatialDropout1D
// to 3D, AlphaDropout, GaussianDropout, GaussianNoise.
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>

#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// What noise does to x. `amount` is the rate, of gaussian_noise the standard deviation.
enum class Kind {
  dropout,           // m x, m = 0 with probability rate, else 1 / (1 - rate)
  alpha_dropout,     // a (low with probability rate, else x) + b
  gaussian_dropout,  // m x, m normal with mean 1 and variance rate / (1 - rate)
  gaussian_noise,    // x + m, m normal with mean 0
};

// Shape of the noise, the batch first: 1 where an axis has the same noise all along.
using ShapeOf = std::function<base::Extents(const Shape& input)>;

struct Noise {
  const char* layer;
  Kind kind;
  double amount;
  std::optional<std::uint64_t> seed;  // replaces the pass's seed
  ShapeOf shape;                      // null: that of the input
};

// The dropped value of alpha_dropout, and what keeps mean and variance (Klambauer, Unterthiner,
// Mayr, Hochreiter: Self-Normalizing Neural Networks, 2017).
struct AlphaValues {
  static constexpr double kLow = -1.6732632423543772 * 1.0507009873554805;
  double a, b;
  explicit AlphaValues(double rate)
      : a(1 / std::sqrt((1 - rate) * (1 + rate * kLow * kLow))), b(-a * kLow * rate) {}
};

template <class T>
class RandomLayer final : public LayerWith<T, RandomLayer<T>> {
 public:
  struct State : LayerState {
    base::Slot<T> noise;  // [batch][shape]
    base::Slot<T> drawn;  // [batch][drawn_shape], where that is another shape
    Shape drawn_shape;
    index rows = kAnySize;  // of a batch that have noise of their own; or how many it must have
    Rearrangement stretch;  // from drawn_shape to the input's
  };

  explicit RandomLayer(Noise noise) : noise_(std::move(noise)) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank >= 1, noise_.layer, inputs[0], "(..., features)");
    drawn_shape(inputs[0]);
    return inputs;
  }
  bool keeps_steps(const Shapes&) const override { return true; }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    if (!extent.training) return;
    const Shape& shape = my.shapes[0];
    my.noise = planner.add<T>(extent.batch * shape.count());
    my.drawn_shape = drawn_shape(shape);
    my.stretch = stretched(my.drawn_shape, shape);
    if (noise_.shape != nullptr) my.rows = noise_.shape(shape).front();
    const bool same = my.rows == kAnySize && my.drawn_shape == shape;
    my.drawn = planner.add<T>(same ? 0 : extent.batch * my.drawn_shape.count());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    const T* const x = in[0].values;
    T* const y = out[0].values;
    const index count = pass.batch * my.shapes[0].count();
    if (!pass.training || my.fixed || noise_.amount == 0) return copy(count, x, y);
    T* const noise = pass.arena->at(my.noise);
    draw(pass, my, noise);
    if (noise_.kind == Kind::gaussian_noise) return ops::add(count, x, noise, y);
    if (noise_.kind != Kind::alpha_dropout) return ops::multiply(count, x, noise, y);
    const AlphaValues values(noise_.amount);
    constexpr double kLow = AlphaValues::kLow;
    ops::affine(count, static_cast<T>(kLow), static_cast<T>(values.a * kLow + values.b), x, noise,
                y);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const dy = out[0].gradient;
    T* const dx = in[0].gradient;
    if (dx == nullptr) return;
    const index count = pass.batch * my.shapes[0].count();
    if (my.fixed || noise_.amount == 0 || noise_.kind == Kind::gaussian_noise)
      return copy(count, dy, dx);
    ops::multiply(count, dy, pass.arena->at(my.noise), dx);
  }

 private:
  bool is_random() const override { return true; }

  static void copy(index count, const T* from, T* to) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  }

  Shape drawn_shape(const Shape& input) const {
    if (noise_.shape == nullptr) return input;
    const base::Extents sizes = noise_.shape(input);
    Shape out = input;
    bool good = static_cast<int>(sizes.size()) == input.rank + 1;
    for (int i = 0; good && i < input.rank; ++i) {
      const index size = sizes[static_cast<std::size_t>(i) + 1];
      good = size == 1 || may_equal(size, input.sizes[i]);
      if (size == 1) out.sizes[i] = 1;
    }
    check_input(good, noise_.layer, input,
                "one that noise of shape " + base::shape_text(sizes) +
                    ", with the batch, can be stretched to");
    return out;
  }

  void draw(const Pass<T>& pass, State& my, T* noise) const {
    const index rows = my.rows, count = my.shapes[0].count();
    LF_CHECK(rows == kAnySize || rows == 1 || rows == pass.batch,
             "[" << noise_.layer << "] a batch has " << pass.batch << " samples; expected " << rows
                 << ", as noise_shape has");
    if (my.drawn.count == 0) return fill(pass, my, pass.batch, noise);
    T* const drawn = pass.arena->at(my.drawn);
    fill(pass, my, rows == 1 ? 1 : pass.batch, drawn);
    if (rows != 1) return my.stretch.forward(pass.batch, static_cast<const T*>(drawn), noise);
    for (index b = 0; b < pass.batch; ++b)
      my.stretch.forward(1, static_cast<const T*>(drawn), noise + b * count);
  }

  void fill(const Pass<T>& pass, const State& my, index batch, T* out) const {
    const Shape& shape = my.drawn_shape;
    const base::RandomStream stream(noise_.seed.value_or(pass.seed), my.stream,
                                    static_cast<std::uint32_t>(RandomKind::dropout), pass.step);
    const double rate = noise_.amount;
    if (noise_.kind == Kind::gaussian_noise) {
      return ops::fill_normal(stream, batch, shape.rows(), shape.features(), 0.0, rate, out);
    }
    if (noise_.kind == Kind::gaussian_dropout) {
      return ops::fill_normal(stream, batch, shape.rows(), shape.features(), 1.0,
                              std::sqrt(rate / (1 - rate)), out);
    }
    ops::MaskValues<T> values = ops::dropout_values<T>(rate);
    if (noise_.kind == Kind::alpha_dropout) values.kept = static_cast<T>(AlphaValues(rate).a);
    ops::fill_random_mask<T>(
        stream, values,
        {batch, shape.rows(), shape.features(), out, shape.count(), shape.features()});
  }

  Noise noise_;
};

template <class T, Noise (*noise)(const base::Values&)>
std::unique_ptr<Layer<T>> make(const base::Values& options, const Children&) {
  return std::make_unique<RandomLayer<T>>(noise(options));
}
// The component whose options make that noise, of a rate unless `amount` is another row.
template <Noise (*noise)(const base::Values&)>
Component component(base::Option amount, const base::OptionTable& more = {}) {
  return {base::OptionTable{{std::move(amount)}} + more + base::OptionTable{{seed_option()}},
          make<float, noise>, make<double, noise>};
}

base::Option rate() { return base::number("rate", base::kRequired, base::from_to(0, 1)); }
base::Option rate_below_1() {
  return base::number("rate", base::kRequired, base::from_to_below(0, 1));
}
base::OptionTable noise_shape() {
  base::Option out = base::extents("noise_shape", base::none());
  out.expected = "1 to 6 sizes of at least 1 or None, the batch first, or None";
  out.normalise = [expected = out.expected](base::Value& value) -> std::string {
    const base::Extents& sizes = value.extents();
    return !sizes.empty() && sizes.size() <= Shape::kMaxRank + 1 ? "" : expected;
  };
  return {{out}};
}
ShapeOf shape_of_options(const base::Values& options) {
  const base::Value& value = options["noise_shape"];
  if (value.none()) return nullptr;
  return [sizes = value.extents()](const Shape&) { return sizes; };
}

template <Kind kind>
Noise of_rate(const base::Values& options) {
  constexpr const char* kNames[] = {"dropout", "alpha_dropout", "gaussian_dropout"};
  constexpr bool kShaped = kind != Kind::gaussian_dropout;
  ShapeOf shape;
  if constexpr (kShaped) shape = shape_of_options(options);
  return {kNames[static_cast<int>(kind)], kind, options["rate"].number(), read_seed(options),
          std::move(shape)};
}

Noise gaussian(const base::Values& options) {
  return {"gaussian_noise", Kind::gaussian_noise, options["stddev"].number(), read_seed(options),
          nullptr};
}

// Whole channels at a time, of samples with `axes` axes next to that of the channels.
template <int axes>
Noise spatial(const base::Values& options) {
  constexpr const char* kNames[] = {"spatial_dropout1d", "spatial_dropout2d", "spatial_dropout3d"};
  const char* const name = kNames[axes - 1];
  bool first = false;
  if constexpr (axes > 1) first = channels_first(options);
  const auto shape = [first, name](const Shape& input) {
    check_input(input.rank == axes + 1, name, input, std::to_string(axes + 1) + " axes");
    base::Extents out(axes + 2, 1);
    out.front() = out[first ? 1 : axes + 1] = kAnySize;
    return out;
  };
  return {name, Kind::dropout, options["rate"].number(), read_seed(options), shape};
}

}  // namespace

Component dropout() { return component<of_rate<Kind::dropout>>(rate(), noise_shape()); }
Component alpha_dropout() {
  return component<of_rate<Kind::alpha_dropout>>(rate_below_1(), noise_shape());
}
Component gaussian_dropout() { return component<of_rate<Kind::gaussian_dropout>>(rate_below_1()); }
Component gaussian_noise() {
  return component<gaussian>(base::number("stddev", base::kRequired, base::from_to(0, 1)));
}
Component spatial_dropout1d() { return component<spatial<1>>(rate()); }
Component spatial_dropout2d() { return component<spatial<2>>(rate(), {{data_format_option()}}); }
Component spatial_dropout3d() { return component<spatial<3>>(rate(), {{data_format_option()}}); }

}  // namespace lstmfast::layers
