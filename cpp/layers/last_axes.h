// Some axes of a sample placed after all others, for layers that act along them as along rows:
// without a copy where they are the last ones already. Knows no particular layer.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/options.h"
#include "layers/checks.h"
#include "layers/layer.h"
#include "layers/rearrangement.h"

namespace lstmfast::layers {

// The axes that an option names, one or several, in ascending order. Throws unless they are
// different ones of a sample.
inline std::vector<int> sample_axes(const char* kind, const base::Value& value,
                                    const Shape& input) {
  const bool many = value.kind() == base::Value::Kind::extents;
  std::vector<int> out;
  for (const index axis : many ? value.extents() : base::Extents{value.integer()}) {
    out.push_back(sample_axis(kind, axis, input));
  }
  std::sort(out.begin(), out.end());
  LF_CHECK(std::adjacent_find(out.begin(), out.end()) == out.end(),
           "[" << kind << "] axis is " << base::shown(value) << "; expected different ones of a "
               << "sample of shape " << input.text());
  return out;
}

// The sizes of axes of a sample, which have to be known.
inline Shape sizes_of(const char* kind, const std::vector<int>& axes, const Shape& input) {
  Shape out;
  for (const int axis : axes) out.append(input.sizes[axis]);
  check_input(out.known() && out.count() > 0, kind, input, "known sizes along axis");
  return out;
}

template <class T>
class LastAxes {
 public:
  LastAxes() = default;
  // `axes`: ascending ones of a known shape. Declares the memory of `copies` arrays for a batch.
  LastAxes(const Shape& shape, const std::vector<int>& axes, index batch, base::Planner& planner,
           int copies) {
    std::vector<int> order;
    for (int axis = 0; axis < shape.rank; ++axis) {
      if (!std::binary_search(axes.begin(), axes.end(), axis)) order.push_back(axis);
    }
    for (const int axis : axes) {
      order.push_back(axis);
      columns_ *= shape.sizes[axis];
    }
    rows_ = columns_ == 0 ? 0 : shape.count() / columns_;
    there_ = permuted(shape, order);
    moves_ = !there_.same();
    if (!moves_) return;
    Shape moved;
    std::vector<int> inverse(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      moved.append(shape.sizes[order[i]]);
      inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
    }
    back_ = permuted(moved, inverse);
    for (int i = 0; i < copies; ++i) copies_[i] = planner.add<T>(batch * shape.count());
  }

  index rows() const { return rows_; }        // of a sample
  index columns() const { return columns_; }  // elements along the axes
  bool moves() const { return moves_; }

  // The array with the axes last: itself, or copy i.
  const T* moved(int i, base::Arena& arena, index batch, const T* array) const {
    if (!moves_) return array;
    T* const copy = arena.at(copies_[i]);
    there_.forward(batch, array, copy);
    return copy;
  }
  // Where a result with the axes last is written: the array itself, or copy i, of which finish()
  // makes the array.
  T* place(int i, base::Arena& arena, T* array) const {
    return moves_ ? arena.at(copies_[i]) : array;
  }
  void finish(int i, base::Arena& arena, index batch, T* array) const {
    if (moves_) back_.forward(batch, static_cast<const T*>(arena.at(copies_[i])), array);
  }

 private:
  static constexpr int kMaxCopies = 3;

  index rows_ = 0, columns_ = 1;
  bool moves_ = false;
  Rearrangement there_, back_;
  base::Slot<T> copies_[kMaxCopies];
};

// A layer that acts along the axes that an option names, and returns its input's shape.
template <class T, class Self>
class AlongAxes : public LayerWith<T, Self> {
 public:
  AlongAxes(const char* kind, base::Value axes) : kind_(kind), axes_(std::move(axes)) {}

  bool keeps_steps(const Shapes& inputs) const override { return axes_of(inputs[0])[0] > 0; }
  double flops(const Shapes& inputs) const override {
    return 10.0 * static_cast<double>(inputs[0].count());
  }

 protected:
  const base::Value& axes() const { return axes_; }
  std::vector<int> axes_of(const Shape& input) const { return sample_axes(kind_, axes_, input); }
  Shape along_axes(const Shape& input) const { return sizes_of(kind_, axes_of(input), input); }
  // With memory for x and y or dy, and in training for dx.
  LastAxes<T> last_axes(const Shape& shape, base::Planner& planner, const Extent& extent) const {
    return {shape, axes_of(shape), extent.batch, planner, extent.training ? 3 : 2};
  }

 private:
  const char* kind_;
  base::Value axes_;
};

}  // namespace lstmfast::layers
