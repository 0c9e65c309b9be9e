// Concatenate: inputs one after the other along an axis.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Concatenate final : public LayerWith<T, Concatenate<T>> {
 public:
  // Of one input in each run of the output.
  struct Part {
    index length = 0, rows = 0;  // elements, and rows of them
    index place = 0, row = 0;    // of the first one in the run
  };
  struct State : LayerState {
    index runs = 0;              // in a sample of the output
    index length = 0, rows = 0;  // of a run
    std::vector<Part> parts;
    base::Slot<unsigned char> mask;
  };

  explicit Concatenate(const base::Values& options) : axis_(options["axis"].integer()) {}

  InputCount input_count() const override { return {2, base::kMaxInteger}; }
  Shapes output_shapes(const Shapes& inputs) const override {
    Shape out = inputs[0];
    const int axis = sample_axis("concatenate", axis_, out);
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      const Shape& input = inputs[k];
      bool fits = input.rank == out.rank;
      for (int i = 0; fits && i < out.rank; ++i) {
        fits = i == axis || may_equal(out.sizes[i], input.sizes[i]);
      }
      LF_CHECK(fits, "[concatenate] inputs of a sample have shapes "
                         << inputs[0].text() << " and " << input.text()
                         << "; expected equal sizes but for axis " << axis_);
      index& size = out.sizes[axis];
      const index more = input.sizes[axis];
      size = size == kAnySize || more == kAnySize ? kAnySize : size + more;
    }
    return {out};
  }
  bool keeps_steps(const Shapes& inputs) const override {
    return sample_axis("concatenate", axis_, inputs[0]) > 0;
  }
  bool masks(index, const std::vector<bool>& masked) const override {
    return std::find(masked.begin(), masked.end(), true) != masked.end();
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape out = output_shapes(extent.inputs)[0];
    const int axis = sample_axis("concatenate", axis_, out);
    my.runs = out.count(0, axis);
    my.rows = out.count(axis, out.rank - 1);
    my.parts.clear();
    Part part;
    for (const Shape& input : extent.inputs) {
      part.length = input.count(axis, input.rank);
      part.rows = input.count(axis, input.rank - 1);
      my.parts.push_back(part);
      part.place += part.length;
      if (axis < out.rank - 1) part.row += part.rows;
    }
    my.length = part.place;
    my.mask = planner.add<unsigned char>(extent.batch * out.rows());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    for (std::size_t k = 0; k < in.size(); ++k) {
      const Part& part = my.parts[k];
      ops::gather_rows<T>(pass.batch * my.runs, part.length, nullptr, in[k].values, part.length,
                          out[0].values + part.place, my.length);
    }
    out[0].mask = join_masks(pass, my, in);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    for (std::size_t k = 0; k < in.size(); ++k) {
      const Part& part = my.parts[k];
      if (in[k].gradient == nullptr) continue;
      ops::gather_rows<T>(pass.batch * my.runs, part.length, nullptr, out[0].gradient + part.place,
                          my.length, in[k].gradient, part.length);
    }
  }

 private:
  // As in Keras, all rows of an input without a mask are real, and a row is real if any of its
  // features is.
  static const unsigned char* join_masks(const Pass<T>& pass, const State& my, const Ins<T>& in) {
    const auto has_mask = [](const In<T>& input) { return input.mask != nullptr; };
    if (std::none_of(in.begin(), in.end(), has_mask)) return nullptr;
    unsigned char* const mask = pass.arena->at(my.mask);
    std::fill_n(mask, pass.batch * my.runs * my.rows, static_cast<unsigned char>(0));
    for (std::size_t k = 0; k < in.size(); ++k) {
      const Part& part = my.parts[k];
      for (index r = 0; r < pass.batch * my.runs * part.rows; ++r) {
        const bool real = in[k].mask == nullptr || in[k].mask[r] != 0;
        mask[r / part.rows * my.rows + part.row + r % part.rows] |= real;
      }
    }
    return mask;
  }

  index axis_;
};

}  // namespace

Component concatenate() { return Family::of<Concatenate>({{axis_option("axis", -1)}}); }

}  // namespace lstmfast::layers
