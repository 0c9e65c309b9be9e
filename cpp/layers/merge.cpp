// Layers that merge inputs element by element: Add, Subtract, Multiply, Average, Maximum, Minimum.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "layers/list.h"
#include "layers/rearrangement.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

enum class MergeKind { add, subtract, multiply, average, maximum, minimum };
constexpr const char* kNames[] = {"add", "subtract", "multiply", "average", "maximum", "minimum"};

template <class T>
struct MergeState : LayerState {
  struct Input {
    Rearrangement map, mask_map;  // to the output's shape, and to its rows
    base::Slot<T> stretched, gradient;
    base::Slot<unsigned char> stretched_mask;
    // Arrays of the running pass, in the output's shape.
    const T* x = nullptr;
    T* dx = nullptr;                      // null: not wanted
    const unsigned char* mask = nullptr;  // null: all rows are real
  };
  std::vector<Input> inputs;
  std::vector<Input*> counted;   // the inputs that count in the part of the output at hand
  index rows = 0, features = 0;  // of a sample of the output
  base::Slot<unsigned char> mask;
};

// Calls f(element) for 0 .. count - 1, shared among threads.
template <class F>
void for_each_element(index count, F f) {
  ops::for_shares(count, ops::kStreamGrain, [&](index begin, index end) {
    for (index e = begin; e < end; ++e) f(e);
  });
}

template <class T>
class Merge : public LayerWith<T, MergeState<T>> {
 public:
  using State = MergeState<T>;
  using Input = typename State::Input;

  Merge(const char* name, MergeKind kind) : name_(name), kind_(kind) {}

  index least_inputs() const override { return 2; }
  index most_inputs() const override {
    return kind_ == MergeKind::subtract ? 2 : base::kMaxInteger;
  }

  // Axes are aligned at the last one; axes of size 1 are stretched.
  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override {
    LF_CHECK(static_cast<index>(inputs.size()) >= least_inputs() &&
                 static_cast<index>(inputs.size()) <= most_inputs(),
             "[" << name_ << "] got " << inputs.size() << " inputs; expected 2"
                 << (kind_ == MergeKind::subtract ? "" : " or more"));
    Shape out = inputs[0];
    for (const Shape& input : inputs) {
      LF_CHECK(input.rank >= 1,
               "[" << name_ << "] input of a sample has no axes; expected (..., features)");
      Shape both = out.rank < input.rank ? input : out;
      const Shape& other = out.rank < input.rank ? out : input;
      for (int i = 0; i < other.rank; ++i) {
        index& size = both.sizes[both.rank - other.rank + i];
        const index more = other.sizes[i];
        LF_CHECK(size == more || size == 1 || more == 1 || size == kAnySize || more == kAnySize,
                 "[" << name_ << "] inputs of a sample have shapes " << out.text() << " and "
                     << input.text() << "; expected equal sizes, or 1, from the last axis on");
        size = size == kAnySize || more == kAnySize ? kAnySize : std::max(size, more);
      }
      out = both;
    }
    return {out};
  }
  bool masks(const std::vector<bool>& masked) const override {
    return std::find(masked.begin(), masked.end(), false) == masked.end();
  }
  double flops(const std::vector<Shape>& inputs) const override {
    return static_cast<double>(inputs.size()) *
           static_cast<double>(output_shapes(inputs)[0].count());
  }

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override {
    State& my = static_cast<State&>(state);
    const Shape out = output_shapes(extent.inputs)[0];
    const index count = extent.batch * out.count();
    my.features = out.features();
    my.rows = out.rows();
    my.mask = planner.add<unsigned char>(extent.batch * my.rows);
    my.inputs.assign(extent.inputs.size(), {});
    my.counted.reserve(my.inputs.size());
    for (std::size_t i = 0; i < my.inputs.size(); ++i) {
      Input& input = my.inputs[i];
      input.map = stretched(extent.inputs[i], out);
      input.mask_map = stretched(rows_of(extent.inputs[i]), rows_of(out));
      if (!input.map.same()) {
        input.stretched = planner.add<T>(count);
        if (extent.training) input.gradient = planner.add<T>(count);
      }
      if (!input.mask_map.same()) {
        input.stretched_mask = planner.add<unsigned char>(extent.batch * my.rows);
      }
    }
  }

  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override {
    State& my = static_cast<State&>(state);
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
    out[0].mask = nullptr;
    if (masked) {
      unsigned char* const mask = pass.arena->at(my.mask);
      out[0].mask = mask;
      for (index r = 0; r < pass.batch * my.rows; ++r) {
        mask[r] = std::any_of(my.inputs.begin(), my.inputs.end(),
                              [&](const Input& input) { return input.mask[r] != 0; });
      }
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

  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override {
    State& my = static_cast<State&>(state);
    for (std::size_t i = 0; i < in.size(); ++i) {
      Input& input = my.inputs[i];
      const bool own = in[i].gradient != nullptr && !input.map.same();
      input.dx = own ? pass.arena->at(input.gradient) : in[i].gradient;
    }
    for_parts(pass.batch, my, [&](index begin, index count) {
      if (my.counted.size() < my.inputs.size()) {
        for (const Input& input : my.inputs) {
          if (input.dx != nullptr) std::fill_n(input.dx + begin, count, T(0));
        }
      }
      share_gradient(begin, count, out[0].gradient + begin, my);
    });
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Input& input = my.inputs[i];
      if (input.dx != in[i].gradient) input.map.backward(pass.batch, input.dx, in[i].gradient);
    }
  }

 private:
  static Shape rows_of(Shape shape) {
    --shape.rank;
    return shape;
  }

  // Calls f(first element, elements) for parts of the output, with my.counted set for each. As in
  // Keras, masked inputs do not count in products and extremes; if all are masked, a product is 0
  // and an extreme is the first input.
  template <class F>
  void for_parts(index batch, State& my, F f) const {
    const bool sums =
        kind_ == MergeKind::add || kind_ == MergeKind::subtract || kind_ == MergeKind::average;
    const bool whole = sums || std::all_of(my.inputs.begin(), my.inputs.end(),
                                           [](const Input& i) { return i.mask == nullptr; });
    const index parts = whole ? 1 : batch * my.rows;
    const index count = whole ? batch * my.rows * my.features : my.features;
    for (index p = 0; p < parts; ++p) {
      my.counted.clear();
      for (Input& input : my.inputs) {
        if (whole || input.mask == nullptr || input.mask[p] != 0) my.counted.push_back(&input);
      }
      if (my.counted.empty() && kind_ != MergeKind::multiply) my.counted.push_back(&my.inputs[0]);
      f(p * count, count);
    }
  }

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
      if (kind_ == MergeKind::maximum || kind_ == MergeKind::minimum) {
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

  const char* name_;
  MergeKind kind_;
};

template <MergeKind kind>
struct Merging {
  template <class T>
  struct Of final : Merge<T> {
    Of() : Merge<T>(kNames[static_cast<int>(kind)], kind) {}
  };
};

}  // namespace

Component add() { return Family::of<Merging<MergeKind::add>::Of>(); }
Component subtract() { return Family::of<Merging<MergeKind::subtract>::Of>(); }
Component multiply() { return Family::of<Merging<MergeKind::multiply>::Of>(); }
Component average() { return Family::of<Merging<MergeKind::average>::Of>(); }
Component maximum() { return Family::of<Merging<MergeKind::maximum>::Of>(); }
Component minimum() { return Family::of<Merging<MergeKind::minimum>::Of>(); }

}  // namespace lstmfast::layers
