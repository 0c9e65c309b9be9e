// Concatenate: inputs one after the other along an axis.
#include <algorithm>
#include <memory>
#include <vector>

#include "base/check.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

struct ConcatenateState : LayerState {
  index outer = 0;             // runs in a sample of the output
  std::vector<index> lengths;  // of each input's part of a run
  std::vector<index> rows;     // of these parts, unless the axis is the last
  index length = 0;            // of a run
  bool last_axis = false;
  base::Slot<unsigned char> mask;
};

template <class T>
class Concatenate final : public LayerWith<T, ConcatenateState> {
 public:
  explicit Concatenate(const base::Values& options) : axis_(options["axis"].integer()) {}

  index least_inputs() const override { return 2; }
  index most_inputs() const override { return base::kMaxInteger; }
  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    LF_CHECK(inputs.size() >= 2,
             "[concatenate] got " << inputs.size() << " inputs; expected 2 or more");
    Shape out = inputs[0];
    const int axis = sample_axis("concatenate", axis_, out);
    for (std::size_t k = 1; k < inputs.size(); ++k) {
      const Shape& input = inputs[k];
      bool fits = input.rank == out.rank;
      for (int i = 0; fits && i < out.rank; ++i) {
        const index a = out.sizes[i], b = input.sizes[i];
        fits = i == axis || a == b || a == kAnySize || b == kAnySize;
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
  bool masks(const std::vector<bool>& masked) const override {
    return std::find(masked.begin(), masked.end(), true) != masked.end();
  }
  double flops(const std::vector<Shape>& inputs) const override {
    return static_cast<double>(output_shapes(inputs)[0].count());
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    ConcatenateState& my = static_cast<ConcatenateState&>(state);
    const Shape out = output_shapes(extent.inputs)[0];
    const int axis = sample_axis("concatenate", axis_, out);
    my.outer = 1;
    for (int i = 0; i < axis; ++i) my.outer *= out.sizes[i];
    my.last_axis = axis == out.rank - 1;
    my.lengths.clear();
    my.rows.clear();
    my.length = 0;
    for (const Shape& input : extent.inputs) {
      index rows = 1;
      for (int i = axis; i < input.rank - 1; ++i) rows *= input.sizes[i];
      my.rows.push_back(rows);
      my.lengths.push_back(rows * input.features());
      my.length += my.lengths.back();
    }
    my.mask = planner.add<unsigned char>(extent.batch * out.rows());
  }

  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    const ConcatenateState& my = static_cast<ConcatenateState&>(state);
    for_inputs(pass, my, [&](std::size_t k, index run, index begin) {
      std::copy_n(in[k].values + run * my.lengths[k], my.lengths[k], out[0].values + begin);
    });
    out[0].mask = join_masks(pass, my, in);
  }

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    const ConcatenateState& my = static_cast<ConcatenateState&>(state);
    for_inputs(pass, my, [&](std::size_t k, index run, index begin) {
      if (in[k].gradient == nullptr) return;
      std::copy_n(out[0].gradient + begin, my.lengths[k], in[k].gradient + run * my.lengths[k]);
    });
  }

 private:
  // Calls f(input, run, first element of the input's part of that run in the output).
  template <class F>
  static void for_inputs(const Pass<T>& pass, const ConcatenateState& my, F f) {
    const index grain = std::max<index>(1, ops::kStreamGrain / std::max<index>(1, my.length));
    ops::for_shares(pass.batch * my.outer, grain, [&](index begin, index end) {
      for (index run = begin; run < end; ++run) {
        index place = run * my.length;
        for (std::size_t k = 0; k < my.lengths.size(); place += my.lengths[k++]) f(k, run, place);
      }
    });
  }

  // As in Keras, all rows of an input without a mask are real, and a row is real if any of its
  // features is.
  static const unsigned char* join_masks(const Pass<T>& pass, const ConcatenateState& my,
                                         const std::vector<In<T>>& in) {
    const auto has_mask = [](const In<T>& input) { return input.mask != nullptr; };
    if (std::none_of(in.begin(), in.end(), has_mask)) return nullptr;
    unsigned char* const mask = pass.arena->at(my.mask);
    if (my.last_axis) {
      const bool all = std::all_of(in.begin(), in.end(), has_mask);
      for (index r = 0; r < pass.batch * my.outer; ++r) {
        mask[r] = !all || std::any_of(in.begin(), in.end(),
                                      [&](const In<T>& input) { return input.mask[r] != 0; });
      }
      return mask;
    }
    unsigned char* to = mask;
    for (index run = 0; run < pass.batch * my.outer; ++run) {
      for (std::size_t k = 0; k < in.size(); ++k) {
        const index rows = my.rows[k];
        if (in[k].mask == nullptr) {
          std::fill_n(to, rows, static_cast<unsigned char>(1));
        } else {
          std::copy_n(in[k].mask + run * rows, rows, to);
        }
        to += rows;
      }
    }
    return mask;
  }

  index axis_;
};

}  // namespace

Component concatenate() { return Family::of<Concatenate>({{axis_option("axis", -1)}}); }

}  // namespace lstmfast::layers
