// Layers that merge inputs element by element: Add, Subtract, Multiply, Average, Maximum, Minimum.
#include <algorithm>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// In one order.
const std::vector<std::string> kKinds = {"add",      "subtract", "average",
                                         "multiply", "maximum",  "minimum"};
enum class MergeKind { add, subtract, average, multiply, maximum, minimum };

// Calls f(element) for 0 .. count - 1, shared among threads.
template <class F>
void for_each_element(index count, F f) {
  ops::for_shares(count, ops::kStreamGrain, [&](index begin, index end) {
    for (index e = begin; e < end; ++e) f(e);
  });
}

template <class T>
class Merge final : public LayerWith<T, Merge<T>> {
 public:
  struct Input {
    Rearrangement map, mask_map;  // to the output's shape, and to its rows
    base::Slot<T> stretched, gradient;
    base::Slot<unsigned char> stretched_mask;
    // Arrays of the running pass, in the output's shape.
    const T* x = nullptr;
    T* dx = nullptr;                      // null: not wanted
    const unsigned char* mask = nullptr;  // null: all rows are real
  };
  struct State : LayerState {
    std::vector<Input> inputs;
    std::vector<Input*> counted;   // the inputs that count in the part of the output at hand
    index rows = 0, features = 0;  // of a sample of the output
    base::Slot<unsigned char> mask;
  };

  explicit Merge(const base::Values& options) {
    const std::string kind = options.given().read(base::text("kind", base::kRequired)).text();
    kind_ = static_cast<MergeKind>(std::find(kKinds.begin(), kKinds.end(), kind) - kKinds.begin());
  }

  InputCount input_count() const override {
    return {2, kind_ == MergeKind::subtract ? 2 : base::kMaxInteger};
  }

  // Axes are aligned at the last one; axes of size 1 are stretched.
  Shapes output_shapes(const Shapes& inputs) const override {
    for (const Shape& input : inputs)
      check_input(input.rank >= 1, this->kind(), input, "(..., features)");
    return {common_shape(this->kind(), inputs)};
  }
  bool keeps_steps(const Shapes&) const override { return true; }
  bool masks(index, const std::vector<bool>& masked) const override {
    return std::find(masked.begin(), masked.end(), false) == masked.end();
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape out = output_shapes(extent.inputs)[0];
    my.features = out.features();
    my.rows = out.rows();
    my.mask = planner.add<unsigned char>(extent.batch * my.rows);
    my.inputs.assign(extent.inputs.size(), {});
    my.counted.reserve(my.inputs.size());
    for (std::size_t i = 0; i < my.inputs.size(); ++i) {
      Input& input = my.inputs[i];
      input.map = stretched(extent.inputs[i], out);
      input.mask_map = stretched(rows_of(extent.inputs[i]), rows_of(out));
      const index count = input.map.same() ? 0 : extent.batch * out.count();
      input.stretched = planner.add<T>(count);
      input.gradient = planner.add<T>(extent.training ? count : 0);
      input.stretched_mask =
          planner.add<unsigned char>(input.mask_map.same() ? 0 : extent.batch * my.rows);
    }
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    const auto stretch = [&](const Rearrangement& map, auto* given, auto slot) {
      if (given == nullptr || map.same()) return given;
      auto* const to = pass.arena->at(slot);
      map.forward(pass.batch, given, to);
      return static_cast<decltype(given)>(to);
    };
    bool masked = true;
    for (std::size_t i = 0; i < in.size(); ++i) {
      Input& input = my.inputs[i];
      input.x = stretch(input.map, in[i].values, input.stretched);
      input.mask = stretch(input.mask_map, in[i].mask, input.stretched_mask);
      masked &= input.mask != nullptr;
    }
    unsigned char* const mask = masked ? pass.arena->at(my.mask) : nullptr;
    out[0].mask = mask;
    for (index r = 0; masked && r < pass.batch * my.rows; ++r) {
      mask[r] = std::any_of(my.inputs.begin(), my.inputs.end(),
                            [&](const Input& input) { return input.mask[r] != 0; });
    }
    for_parts(pass.batch, my, [&](index begin, index count) {
      T* const y = out[0].values + begin;
      if (my.counted.empty()) std::fill_n(y, count, T(0));
      if (my.counted.size() == 1) std::copy_n(my.counted[0]->x + begin, count, y);
      for (std::size_t k = 1; k < my.counted.size(); ++k) {
        merge(count, k == 1 ? my.counted[0]->x + begin : y, my.counted[k]->x + begin, y);
      }
      if (kind_ == MergeKind::average) ops::scale(count, T(1) / T(my.inputs.size()), y, y);
    });
  }

  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    for (std::size_t i = 0; i < in.size(); ++i) {
      Input& input = my.inputs[i];
      const bool own = in[i].gradient != nullptr && !input.map.same();
      input.dx = own ? pass.arena->at(input.gradient) : in[i].gradient;
    }
    for_parts(pass.batch, my, [&](index begin, index count) {
      for (const Input& input : my.inputs) {
        const bool skips = my.counted.size() < my.inputs.size() && input.dx != nullptr;
        if (skips) std::fill_n(input.dx + begin, count, T(0));
      }
      share_gradient(begin, count, out[0].gradient + begin, my);
    });
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Input& input = my.inputs[i];
      if (input.dx != in[i].gradient) input.map.backward(pass.batch, input.dx, in[i].gradient);
    }
  }

 private:
  static Shape rows_of(const Shape& shape) { return shape.without(shape.rank - 1); }

  // Calls f(first element, elements) for parts of the output, with my.counted set for each. As in
  // Keras, masked inputs do not count in products and extremes; if all are masked, a product is 0
  // and an extreme is the first input.
  template <class F>
  void for_parts(index batch, State& my, F f) const {
    const bool whole = kind_ <= MergeKind::average ||
                       std::all_of(my.inputs.begin(), my.inputs.end(),
                                   [](const Input& i) { return i.mask == nullptr; });
    const index parts = whole ? 1 : batch * my.rows;
    const index count = whole ? batch * my.rows * my.features : my.features;
    for (index p = 0; p < parts; ++p) {
      my.counted.clear();
      for (Input& input : my.inputs) {
        if (whole || input.mask == nullptr || input.mask[p] != 0) my.counted.push_back(&input);
      }
      if (my.counted.empty() && is_extreme()) my.counted.push_back(&my.inputs[0]);
      f(p * count, count);
    }
  }

  bool is_extreme() const { return kind_ >= MergeKind::maximum; }
  // Whether `b` replaces `a` as the extreme; a NaN always does.
  bool beats(T b, T a) const { return (kind_ == MergeKind::maximum ? b > a : b < a) || b != b; }

  // y = a and b merged; y may be a.
  void merge(index count, const T* a, const T* b, T* y) const {
    if (kind_ == MergeKind::add || kind_ == MergeKind::average) {
      ops::add(count, a, b, y);
    } else if (kind_ == MergeKind::multiply) {
      ops::multiply(count, a, b, y);
    } else if (kind_ == MergeKind::subtract) {
      for_each_element(count, [=](index e) { y[e] = a[e] - b[e]; });
    } else {
      for_each_element(count, [=](index e) { y[e] = beats(b[e], a[e]) ? b[e] : a[e]; });
    }
  }

  // Computes the gradients of the inputs that count from dy, and overwrites dy.
  void share_gradient(index begin, index count, T* dy, const State& my) const {
    const std::size_t n = my.counted.size();
    for (std::size_t k = n; k-- > 0;) {
      if (is_extreme()) {
        for_each_element(count, [&](index e) { split_extreme(begin + e, k, dy[e], my); });
        continue;
      }
      if (my.counted[k]->dx == nullptr) continue;
      T* const dx = my.counted[k]->dx + begin;
      if (kind_ == MergeKind::multiply) {
        const T* product = dy;
        for (std::size_t j = 0; j < n; ++j) {
          if (j != k) ops::multiply(count, product, my.counted[j]->x + begin, dx), product = dx;
        }
        if (n == 1) std::copy_n(dy, count, dx);
      } else {
        const T share = kind_ == MergeKind::average ? T(1) / T(n) : T(1);
        ops::scale(count, kind_ == MergeKind::subtract && k == 1 ? -share : share, dy, dx);
      }
    }
  }

  // Splits off input k's part of an element's gradient `left`: all of it if input k beats the
  // inputs before it, half if it equals the best of them.
  void split_extreme(index element, std::size_t k, T& left, const State& my) const {
    T part = left;
    if (k > 0) {
      T best = my.counted[0]->x[element];
      for (std::size_t j = 1; j < k; ++j) {
        const T x = my.counted[j]->x[element];
        if (beats(x, best)) best = x;
      }
      const T x = my.counted[k]->x[element];
      part = x == best ? left / 2 : beats(x, best) ? left : T(0);
      left -= part;
    }
    if (my.counted[k]->dx != nullptr) my.counted[k]->dx[element] = part;
  }

  MergeKind kind_;
};

}  // namespace

Component add() { return Family::of<Merge>(); }
Component subtract() { return Family::of<Merge>(); }
Component multiply() { return Family::of<Merge>(); }
Component average() { return Family::of<Merge>(); }
Component maximum() { return Family::of<Merge>(); }
Component minimum() { return Family::of<Merge>(); }

}  // namespace lstmfast::layers
