// Layers that move elements without reading them: Flatten, Reshape, Permute, RepeatVector, slices,
// and along steps, or rows and columns, UpSampling, ZeroPadding, Cropping. They move values and
// ids, and drop masks.
#include <algorithm>
#include <functional>
#include <numeric>

#include "layers/list.h"
#include "layers/rearrangement.h"

namespace lstmfast::layers {
namespace {

// The output's shape for an input, and how its elements get there if the input is known().
struct Moved {
  Shape shape;
  Rearrangement map;  // from input to output, or
  bool pads = false;  // from output to input: what the input does not fill is 0
  bool keeps_steps = false;
};
using Move = std::function<Moved(const Shape& input)>;

template <class T>
class Rearranging final : public LayerWith<T, Rearranging<T>> {
 public:
  struct State : LayerState {
    Rearrangement map;
    bool pads = false;
  };

  explicit Rearranging(Move move) : move_(std::move(move)) {}

  Elements input_elements(index, Elements wanted) const override { return wanted; }
  bool moves_ids() const override { return true; }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return true; }
  Shapes output_shapes(const Shapes& inputs) const override { return {move_(inputs[0]).shape}; }
  bool keeps_steps(const Shapes& inputs) const override { return move_(inputs[0]).keeps_steps; }

  void plan(State& my, base::Planner&, const Extent& extent) const {
    const Moved moved = move_(extent.inputs[0]);
    my.map = moved.map;
    my.pads = moved.pads;
  }
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    if (out[0].values != nullptr) run(my, my.pads, pass.batch, in[0].values, out[0].values);
    if (out[0].ids != nullptr) run(my, my.pads, pass.batch, in[0].ids, out[0].ids);
  }
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    const T* const dy = out[0].gradient;
    if (in[0].gradient != nullptr) run(my, !my.pads, pass.batch, dy, in[0].gradient);
  }

 private:
  template <class E>
  static void run(const State& my, bool backward, index batch, const E* from, E* to) {
    backward ? my.map.backward(batch, from, to) : my.map.forward(batch, from, to);
  }

  Move move_;
};

// Elements keep their order; one size of `target` may be kAnySize and follows from the others.
Move in_shape(const Shape& target) {
  return [target](const Shape& input) -> Moved {
    if (!input.known()) return {target, {}};
    Shape out = target;
    index* const open = std::find(out.sizes, out.sizes + out.rank, kAnySize);
    if (open != out.end()) {
      *open = 1;
      *open = input.count() / out.count();
    }
    check_input(out.count() == input.count(), "reshape", input,
                "as many elements as " + target.text());
    return {out, stretched(input, input)};
  };
}

Move flattened(const base::Values&) { return in_shape({kAnySize}); }

Move reshaped(const base::Values& options) {
  return in_shape(Shape(options["target_shape"].extents()));
}

Move with_permuted_axes(const base::Values& options) {
  std::vector<int> axes;  // of the input
  for (const index dim : options["dims"].extents()) axes.push_back(static_cast<int>(dim) - 1);
  return [axes](const Shape& input) -> Moved {
    check_input(input.rank == static_cast<int>(axes.size()), "permute", input,
                std::to_string(axes.size()) + " axes, as dims has");
    Shape out;
    for (const int axis : axes) out.append(input.sizes[axis]);
    return {out, permuted(input, axes)};
  };
}

// One element of an axis, which goes (`drop`), or every step-th from start to before stop. Negative
// places count from the end, as in Python.
Move sliced(const base::Values& options) {
  const index along = options["axis"].integer(), step = options["step"].integer();
  const bool drop = options["drop"].flag();
  const base::Value first = options["start"], last = options["stop"];
  return [=](const Shape& input) -> Moved {
    const int axis = sample_axis("slice", along, input);
    const index size = input.sizes[axis];
    Shape out = input;
    if (size == kAnySize) return {drop ? input.without(axis) : out, {}};
    const auto place = [&](const base::Value& value, index none) {
      if (value.none()) return none;
      const index at = value.integer() < 0 ? value.integer() + size : value.integer();
      return step > 0 ? std::clamp<index>(at, 0, size) : std::clamp<index>(at, -1, size - 1);
    };
    index start = place(first, step > 0 ? 0 : size - 1);
    const index stop = place(last, step > 0 ? size : -1);
    if (drop) start = first.integer() < 0 ? first.integer() + size : first.integer();
    const index count = drop ? 1 : (stop - start + step - (step > 0 ? 1 : -1)) / step;
    check_input(count > 0 && start >= 0 && start < size, "slice", input,
                "elements at " + base::shown(first) + " of axis " + std::to_string(axis + 1));
    out.sizes[axis] = count;
    Moved moved{drop ? input.without(axis) : out, {}, false, axis > 0};
    if (!input.known()) return moved;
    moved.map = Rearrangement(input.count(), start * input.count(axis + 1, input.rank));
    for (int i = 0; i < input.rank; ++i) {
      moved.map.add(out.sizes[i], input.count(i + 1, input.rank) * (i == axis ? step : 1));
    }
    return moved;
  };
}

Move repeated(const base::Values& options) {
  return [n = options["n"].integer()](const Shape& input) -> Moved {
    check_input(input.rank == 1, "repeat_vector", input, "(features)");
    const Shape out = Shape{n} + input;
    return {out, stretched(input, out)};
  };
}

// Each element along the axes `size` times in turn.
Move upsampled(const char* kind, const base::Extents& size, bool channels_first) {
  return [=](const Shape& input) -> Moved {
    const int axes = static_cast<int>(size.size()), first = channels_first ? 1 : 0;
    check_input(input.rank == axes + 1, kind, input, std::to_string(axes + 1) + " axes");
    Moved out{input, Rearrangement(input.count())};
    for (int i = 0; i < input.rank; ++i) {
      const bool resized = i >= first && i < first + axes;
      const index times = resized ? size[static_cast<std::size_t>(i - first)] : 1;
      if (input.sizes[i] != kAnySize) out.shape.sizes[i] *= times;
      out.map.add(input.sizes[i], input.count(i + 1, input.rank));
      out.map.add(times, 0);
    }
    return out;
  };
}

// Without the first and last elements of each axis, or (`pads`) with zeros before and after them.
Move with_edges(const char* kind, const base::Extents& edges, bool channels_first, bool pads) {
  return [=](const Shape& input) -> Moved {
    const int axes = static_cast<int>(edges.size()) / 2, first = channels_first ? 1 : 0;
    check_input(input.rank == axes + 1, kind, input, std::to_string(axes + 1) + " axes");
    Moved out{input, {}, pads};
    index before[Shape::kMaxRank] = {};
    for (int i = 0; i < axes; ++i) {
      index& size = out.shape.sizes[first + i];
      const index* const edge = edges.data() + 2 * i;
      before[first + i] = edge[0];
      if (size == kAnySize) continue;
      size += (pads ? 1 : -1) * (edge[0] + edge[1]);
      check_input(size > 0, kind, input,
                  "more than " + std::to_string(edge[0] + edge[1]) + " along axis " +
                      std::to_string(first + i + 1));
    }
    if (!input.known()) return out;
    const Shape &small = pads ? input : out.shape, &large = pads ? out.shape : input;
    index start = 0;
    for (int i = 0; i < large.rank; ++i) start += before[i] * large.count(i + 1, large.rank);
    out.map = Rearrangement(large.count(), start);
    for (int i = 0; i < large.rank; ++i) {
      out.map.add(small.sizes[i], large.count(i + 1, large.rank));
    }
    return out;
  };
}

constexpr index kMaxTimes = index{1} << 20;  // times kMaxElements: far from overflow

// Numbers for so many axes: one for all, or one for each; with `pairs` also one for each end.
base::Option per_axis(const char* name, base::Fallback fallback, std::size_t axes, index least,
                      bool pairs) {
  base::Option out = base::integer(name, std::move(fallback), least, kMaxTimes);
  out.expected = out.expected_text();
  if (axes > 1) out.expected += ", or one for each of " + std::to_string(axes) + " axes";
  if (pairs) out.expected += ", or one for each end";
  out.takes |= base::kExtents;
  const std::size_t ends = pairs ? 2 : 1;
  out.normalise = [=, expected = out.expected](base::Value& value) -> std::string {
    const bool many = value.kind() == base::Value::Kind::extents;
    const base::Extents given = many ? value.extents() : base::Extents{value.integer()};
    const std::size_t count = axes * ends, size = given.size();
    const bool fits = size == count || size == axes || !many;
    if (!fits || std::count(given.begin(), given.end(), base::kAnyExtent) > 0) return expected;
    base::Extents all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(given[i * size / count]);
    value = all;
    return "";
  };
  return out;
}

// The extents of a checked option, whose fallback may be one number.
base::Extents all_of(const base::Values& options, const char* name, std::size_t count) {
  const base::Value& value = options[name];
  if (value.kind() == base::Value::Kind::extents) return value.extents();
  return base::Extents(count, value.integer());
}

Move upsampled_1d(const base::Values& options) {
  return upsampled("up_sampling1d", {options["size"].integer()}, false);
}
Move upsampled_2d(const base::Values& options) {
  return upsampled("up_sampling2d", all_of(options, "size", 2), channels_first(options));
}
Move padded_1d(const base::Values& options) {
  return with_edges("zero_padding1d", all_of(options, "padding", 2), channels_first(options), true);
}
Move padded_2d(const base::Values& options) {
  return with_edges("zero_padding2d", all_of(options, "padding", 4), channels_first(options), true);
}
Move cropped_1d(const base::Values& options) {
  return with_edges("cropping1d", all_of(options, "cropping", 2), false, false);
}
Move cropped_2d(const base::Values& options) {
  return with_edges("cropping2d", all_of(options, "cropping", 4), channels_first(options), false);
}

base::Option target_option() {
  base::Option out = base::extents("target_shape", base::kRequired);
  out.expected = "1 to 5 sizes of at least 1, where one may be -1 or None";
  out.normalise = [expected = out.expected](base::Value& value) -> std::string {
    const base::Extents& sizes = value.extents();
    const bool good = !sizes.empty() && sizes.size() <= Shape::kMaxRank &&
                      std::count(sizes.begin(), sizes.end(), kAnySize) <= 1;
    return good ? "" : expected;
  };
  return out;
}

base::Option dims_option() {
  base::Option out = base::extents("dims", base::kRequired, 1, Shape::kMaxRank);
  out.expected = "each axis of a sample once, counted from 1";
  out.normalise = [expected = out.expected](base::Value& value) -> std::string {
    base::Extents sorted = value.extents(), axes(sorted.size());
    std::sort(sorted.begin(), sorted.end());
    std::iota(axes.begin(), axes.end(), 1);
    return !axes.empty() && sorted == axes ? "" : expected;
  };
  return out;
}

template <class T, Move (*move)(const base::Values&)>
std::unique_ptr<Layer<T>> make(const base::Values& options, const Children&) {
  return std::make_unique<Rearranging<T>>(move(options));
}
template <Move (*move)(const base::Values&)>
Component component(base::OptionTable options) {
  return {std::move(options), make<float, move>, make<double, move>};
}

}  // namespace

Component flatten() { return component<flattened>({}); }
Component reshape() { return component<reshaped>({{target_option()}}); }
Component permute() { return component<with_permuted_axes>({{dims_option()}}); }
Component slice() {
  const auto place = [](const char* name) {
    return base::integer(name, base::none(), -base::kMaxInteger);
  };
  base::OptionTable options = {{axis_option("axis", base::kRequired), place("start"), place("stop"),
                                base::integer("step", 1, -base::kMaxInteger),
                                base::flag("drop", false)}};
  options.together = [](const base::Values& values) {
    if (values["step"].integer() == 0) values.fail("step", "an integer other than 0");
    if (values["drop"].flag() && values["start"].none()) values.fail("start", "a place");
  };
  return component<sliced>(options);
}
Component repeat_vector() {
  return component<repeated>({{base::integer("n", base::kRequired, 1)}});
}
Component up_sampling1d() {
  return component<upsampled_1d>({{base::integer("size", 2, 1, kMaxTimes)}});
}
Component up_sampling2d() {
  return component<upsampled_2d>(
      {{per_axis("size", base::Extents{2, 2}, 2, 1, false), data_format_option()}});
}
Component zero_padding1d() {
  return component<padded_1d>({{per_axis("padding", 1, 1, 0, true), data_format_option()}});
}
Component zero_padding2d() {
  return component<padded_2d>({{per_axis("padding", 1, 2, 0, true), data_format_option()}});
}
Component cropping1d() { return component<cropped_1d>({{per_axis("cropping", 1, 1, 0, true)}}); }
Component cropping2d() {
  return component<cropped_2d>({{per_axis("cropping", 0, 2, 0, true), data_format_option()}});
}

}  // namespace lstmfast::layers
