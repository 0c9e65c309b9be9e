// Layers that move elements without reading them: Flatten, Reshape, Permute, RepeatVector. They
// move values and ids, and drop masks.
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
  Rearrangement map;
};
using Move = std::function<Moved(const Shape& input)>;

template <class T>
class Rearranging final : public LayerWith<T, Rearranging<T>> {
 public:
  struct State : LayerState {
    Rearrangement map;
  };

  explicit Rearranging(Move move) : move_(std::move(move)) {}

  Elements input_elements(index, Elements wanted) const override { return wanted; }
  bool moves_ids() const override { return true; }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return true; }
  Shapes output_shapes(const Shapes& inputs) const override { return {move_(inputs[0]).shape}; }

  void plan(State& my, base::Planner&, const Extent& extent) const {
    my.map = move_(extent.inputs[0]).map;
  }
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    if (out[0].values != nullptr) my.map.forward(pass.batch, in[0].values, out[0].values);
    if (out[0].ids != nullptr) my.map.forward(pass.batch, in[0].ids, out[0].ids);
  }
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    if (in[0].gradient != nullptr) my.map.backward(pass.batch, out[0].gradient, in[0].gradient);
  }

 private:
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

Move repeated(const base::Values& options) {
  return [n = options["n"].integer()](const Shape& input) -> Moved {
    check_input(input.rank == 1, "repeat_vector", input, "(features)");
    const Shape out = Shape{n} + input;
    return {out, stretched(input, out)};
  };
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
Component repeat_vector() {
  return component<repeated>({{base::integer("n", base::kRequired, 1)}});
}

}  // namespace lstmfast::layers
