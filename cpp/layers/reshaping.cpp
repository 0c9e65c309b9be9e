// Layers that move elements without reading them: Flatten, Reshape, Permute, RepeatVector. They
// move values and ids, and drop masks.
#include <algorithm>
#include <numeric>

#include "layers/list.h"
#include "layers/rearrangement.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Rearranging : public LayerWith<T, Rearranging<T>> {
 public:
  struct State : LayerState {
    Rearrangement map;
  };

  Elements input_elements(index, Elements wanted) const override { return wanted; }
  bool moves_ids() const override { return true; }
  bool masks(index, const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return true; }

  void plan(State& my, base::Planner&, const Extent& extent) const {
    my.map = rearrangement(extent.inputs[0]);
  }
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    out[0].mask = nullptr;
    if (out[0].values != nullptr) my.map.forward(pass.batch, in[0].values, out[0].values);
    if (out[0].ids != nullptr) my.map.forward(pass.batch, in[0].ids, out[0].ids);
  }
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    if (in[0].gradient != nullptr) my.map.backward(pass.batch, out[0].gradient, in[0].gradient);
  }

 protected:
  virtual Rearrangement rearrangement(const Shape& input) const = 0;
};

// Elements keep their order; one size of `target` may be kAnySize and follows from the others.
template <class T>
class Reshape : public Rearranging<T> {
 public:
  explicit Reshape(const Shape& target) : target_(target) {}
  explicit Reshape(const base::Values& options) : target_(options["target_shape"].extents()) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape& input = inputs[0];
    if (!input.known()) return {target_};
    Shape out = target_;
    index* const open = std::find(out.sizes, out.sizes + out.rank, kAnySize);
    if (open != out.end()) {
      *open = 1;
      *open = input.count() / out.count();
    }
    check_input(out.count() == input.count(), "reshape", input,
                "as many elements as " + target_.text());
    return {out};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override { return stretched(input, input); }

  Shape target_;
};

template <class T>
struct Flatten final : Reshape<T> {
  Flatten() : Reshape<T>(Shape{kAnySize}) {}
};

template <class T>
class Permute final : public Rearranging<T> {
 public:
  explicit Permute(const base::Values& options) {
    for (const index dim : options["dims"].extents()) axes_.push_back(static_cast<int>(dim) - 1);
  }

  Shapes output_shapes(const Shapes& inputs) const override {
    const Shape& input = inputs[0];
    check_input(input.rank == static_cast<int>(axes_.size()), "permute", input,
                std::to_string(axes_.size()) + " axes, as dims has");
    Shape out;
    for (const int axis : axes_) out.append(input.sizes[axis]);
    return {out};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override { return permuted(input, axes_); }

  std::vector<int> axes_;  // of the input
};

template <class T>
class RepeatVector final : public Rearranging<T> {
 public:
  explicit RepeatVector(const base::Values& options) : n_(options["n"].integer()) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    check_input(inputs[0].rank == 1, "repeat_vector", inputs[0], "(features)");
    return {Shape{n_} + inputs[0]};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override {
    return stretched(input, Shape{n_} + input);
  }

  index n_;
};

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

}  // namespace

Component flatten() { return Family::of<Flatten>(); }
Component reshape() { return Family::of<Reshape>({{target_option()}}); }
Component permute() { return Family::of<Permute>({{dims_option()}}); }
Component repeat_vector() {
  return Family::of<RepeatVector>({{base::integer("n", base::kRequired, 1)}});
}

}  // namespace lstmfast::layers
