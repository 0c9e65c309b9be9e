// Layers that move elements without reading them: Flatten, Reshape, Permute, RepeatVector. They
// move values and ids, and drop masks.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"

namespace lstmfast::layers {
namespace {

struct RearrangingState : LayerState {
  Rearrangement map;
};

template <class T>
class Rearranging : public LayerWith<T, RearrangingState> {
 public:
  Elements input_elements(index, Elements wanted) const override { return wanted; }
  Elements output_elements() const override { return kValues | kIds; }
  bool masks(const std::vector<bool>&) const override { return false; }
  bool drops_masks() const override { return true; }

  void declare(LayerState& state, base::Planner&, const Extent& extent) const override {
    static_cast<RearrangingState&>(state).map = rearrangement(extent.inputs[0]);
  }
  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    const Rearrangement& map = static_cast<RearrangingState&>(state).map;
    out[0].mask = nullptr;
    if (out[0].values != nullptr) map.forward(pass.batch, in[0].values, out[0].values);
    if (out[0].ids != nullptr) map.forward(pass.batch, in[0].ids, out[0].ids);
  }
  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const Rearrangement& map = static_cast<RearrangingState&>(state).map;
    if (in[0].gradient != nullptr) map.backward(pass.batch, out[0].gradient, in[0].gradient);
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

  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    const Shape& input = inputs[0];
    if (!input.known()) return {target_};
    Shape out = target_;
    index* const open = std::find(out.sizes, out.sizes + out.rank, kAnySize);
    if (open != out.sizes + out.rank) {
      *open = 1;
      *open = input.count() / out.count();
    }
    LF_CHECK(out.count() == input.count(), "[reshape] input of a sample has shape "
                                               << input.text() << "; expected as many elements as "
                                               << target_.text());
    return {out};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override {
    Rearrangement out(input.count());
    out.add(input.count(), 1);
    return out;
  }

  Shape target_;
};

template <class T>
struct Flatten final : Reshape<T> {
  Flatten() : Reshape<T>(Shape{kAnySize}) {}
};

template <class T>
class Permute final : public Rearranging<T> {
 public:
  explicit Permute(const base::Values& options) : dims_(options["dims"].extents()) {}

  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    const Shape& input = inputs[0];
    LF_CHECK(input.rank == static_cast<int>(dims_.size()),
             "[permute] input of a sample has shape " << input.text() << "; expected "
                                                      << dims_.size() << " axes, as dims has");
    Shape out;
    for (const index dim : dims_) out.append(input.sizes[dim - 1]);
    return {out};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override {
    Rearrangement out(input.count());
    for (const index dim : dims_) {
      index stride = 1;
      for (int i = static_cast<int>(dim); i < input.rank; ++i) stride *= input.sizes[i];
      out.add(input.sizes[dim - 1], stride);
    }
    return out;
  }

  std::vector<index> dims_;  // axes, from 1
};

template <class T>
class RepeatVector final : public Rearranging<T> {
 public:
  explicit RepeatVector(const base::Values& options) : n_(options["n"].integer()) {}

  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    LF_CHECK(inputs[0].rank == 1, "[repeat_vector] input of a sample has shape "
                                      << inputs[0].text() << "; expected (features)");
    return {{n_, inputs[0].sizes[0]}};
  }

 private:
  Rearrangement rearrangement(const Shape& input) const override {
    Rearrangement out(input.count());
    out.add(n_, 0);
    out.add(input.count(), 1);
    return out;
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
    base::Extents sorted = value.extents();
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] != static_cast<index>(i) + 1) return expected;
    }
    return sorted.empty() ? expected : "";
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
