// Concatenate: inputs one after the other along an axis.
#include <algorithm>
#include <functional>
#include <numeric>

#include "base/check.h"
#include "layers/list.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

template <class T>
class Concatenate final : public LayerWith<T, Concatenate<T>> {
 public:
  struct State : LayerState {
    index runs = 0;              // in a sample of the output
    std::vector<index> lengths;  // of each input's part of a run
    std::vector<index> rows;     // of these parts
    bool last_axis = false;
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
  bool masks(index, const std::vector<bool>& masked) const override {
    return std::find(masked.begin(), masked.end(), true) != masked.end();
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape out = output_shapes(extent.inputs)[0];
    const int axis = sample_axis("concatenate", axis_, out);
    const auto product = [](const index* begin, const index* end) {
      return std::accumulate(begin, end, index{1}, std::multiplies<index>());
    };
    my.runs = product(out.begin(), out.begin() + axis);
    my.last_axis = axis == out.rank - 1;
    my.lengths.clear();
    my.rows.clear();
    for (const Shape& input : extent.inputs) {
      my.lengths.push_back(product(input.begin() + axis, input.end()));
      my.rows.push_back(product(input.begin() + axis, input.end() - 1));
    }
    my.mask = planner.add<unsigned char>(extent.batch * out.rows());
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    for_inputs(pass, my, my.lengths, [&](std::size_t k, index from, index to, index count) {
      std::copy_n(in[k].values + from, count, out[0].values + to);
    });
    out[0].mask = join_masks(pass, my, in);
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    for_inputs(pass, my, my.lengths, [&](std::size_t k, index to, index from, index count) {
      if (in[k].gradient == nullptr) return;
      std::copy_n(out[0].gradient + from, count, in[k].gradient + to);
    });
  }

 private:
  // Calls f(input, first element of one of its parts, its place in the output, elements) for parts
  // of these lengths.
  template <class F>
  static void for_inputs(const Pass<T>& pass, const State& my, const std::vector<index>& lengths,
                         F f) {
    const index sum = std::accumulate(lengths.begin(), lengths.end(), index{0});
    ops::for_items(pass.batch * my.runs, sum, [&](index begin, index end) {
      for (index run = begin; run < end; ++run) {
        index place = run * sum;
        for (std::size_t k = 0; k < lengths.size(); place += lengths[k++]) {
          f(k, run * lengths[k], place, lengths[k]);
        }
      }
    });
  }

  // As in Keras, all rows of an input without a mask are real, and a row is real if any of its
  // features is.
  static const unsigned char* join_masks(const Pass<T>& pass, const State& my, const Ins<T>& in) {
    const auto has_mask = [](const In<T>& input) { return input.mask != nullptr; };
    if (std::none_of(in.begin(), in.end(), has_mask)) return nullptr;
    unsigned char* const mask = pass.arena->at(my.mask);
    if (my.last_axis) {
      for (index r = 0; r < pass.batch * my.runs; ++r) {
        mask[r] = std::any_of(in.begin(), in.end(), [&](const In<T>& input) {
          return input.mask == nullptr || input.mask[r] != 0;
        });
      }
      return mask;
    }
    for_inputs(pass, my, my.rows, [&](std::size_t k, index from, index to, index count) {
      if (in[k].mask == nullptr) {
        std::fill_n(mask + to, count, static_cast<unsigned char>(1));
      } else {
        std::copy_n(in[k].mask + from, count, mask + to);
      }
    });
    return mask;
  }

  index axis_;
};

}  // namespace

Component concatenate() { return Family::of<Concatenate>({{axis_option("axis", -1)}}); }

}  // namespace lstmfast::layers
