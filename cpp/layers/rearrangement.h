// Copies of arrays with permuted axes, repeated steps, axes of size 1 stretched to others, or parts
// of axes. Knows no layers.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/plain.h"
#include "layers/shape.h"
#include "ops/vector.h"

namespace lstmfast::layers {

// y [batch][axes], contiguous: element (i, j, ...) of a sample is element start + i * stride of the
// first axis + j * stride of the second + ... of the same sample of x. A stride of 0 repeats
// elements.
class Rearrangement {
 public:
  Rearrangement() = default;
  explicit Rearrangement(index input_count, index start = 0) : input_(input_count), start_(start) {}

  // Adds the next axis of y, outermost first.
  void add(index size, index stride) {
    count_ *= size;
    if (size == 1) return;
    const int last = rank_ - 1;
    if (rank_ > 0 && strides_[last] == stride * size) {  // both are one longer axis
      sizes_[last] *= size;
      strides_[last] = stride;
    } else {
      sizes_[rank_] = size;
      strides_[rank_++] = stride;
    }
  }

  // Whether y equals x.
  bool same() const { return count_ == input_ && (rank_ == 0 || (rank_ == 1 && strides_[0] == 1)); }

  template <class E>
  void forward(index batch, const E* x, E* y) const {
    for_runs(batch, [&](index from, index to, index n, index stride) {
      if (stride == 1) {
        std::copy_n(x + from, n, y + to);
      } else {
        for (index i = 0; i < n; ++i) y[to + i] = x[from + i * stride];
      }
    });
  }

  // dx of an element of x is the sum of dy over its copies, in the order of y.
  template <class T>
  void backward(index batch, const T* dy, T* dx) const {
    if (same()) return forward(batch, dy, dx);
    std::fill_n(dx, batch * input_, T(0));
    for_runs(batch, [&](index to, index from, index n, index stride) {
      for (index i = 0; i < n; ++i) dx[to + i * stride] += dy[from + i];
    });
  }

 private:
  // Calls run(first element of x, first of y, elements, stride in x) for all of y; threads share
  // the samples.
  template <class Run>
  void for_runs(index batch, const Run& run) const {
    ops::for_items(batch, count_, [&](index begin, index end) {
      if (same()) return run(begin * input_, begin * count_, (end - begin) * count_, index{1});
      for (index b = begin; b < end; ++b) walk(0, b * input_ + start_, b * count_, run);
    });
  }
  template <class Run>
  index walk(int axis, index x, index y, const Run& run) const {
    if (axis >= std::min(rank_ - 1, Shape::kMaxRank)) {  // the bound is for the compiler
      run(x, y, sizes_[axis], strides_[axis]);
      return y + sizes_[axis];
    }
    for (index i = 0; i < sizes_[axis]; ++i) y = walk(axis + 1, x + i * strides_[axis], y, run);
    return y;
  }

  int rank_ = 0;
  index input_ = 0, start_ = 0, count_ = 1;
  index sizes_[Shape::kMaxRank + 1] = {1}, strides_[Shape::kMaxRank + 1] = {1};
};

// x of shape `from` with its axes in the order `axes`.
inline Rearrangement permuted(const Shape& from, const std::vector<int>& axes) {
  Rearrangement out(from.count());
  for (const int axis : axes) out.add(from.sizes[axis], from.count(axis + 1, from.rank));
  return out;
}

// x of shape `from` stretched to `to`, aligned at the last axis: axes of size 1, and those that
// `from` lacks, repeat.
inline Rearrangement stretched(const Shape& from, const Shape& to) {
  Rearrangement out(from.count());
  for (int i = 0; i < to.rank; ++i) {
    const int axis = i - (to.rank - from.rank);
    const bool repeats = axis < 0 || from.sizes[axis] == 1;
    out.add(to.sizes[i], repeats ? 0 : from.count(axis + 1, from.rank));
  }
  return out;
}

// The shape to which inputs of a layer are stretched together, aligned at the last axis.
inline Shape common_shape(const std::string& kind, const Shapes& inputs) {
  Shape out = inputs[0];
  for (const Shape& input : inputs) {
    const bool longer = input.rank > out.rank;
    Shape both = longer ? input : out;
    const Shape& other = longer ? out : input;
    for (int i = 0; i < other.rank; ++i) {
      index& size = both.sizes[both.rank - other.rank + i];
      const index more = other.sizes[i];
      LF_CHECK(may_equal(size, more) || size == 1 || more == 1,
               "[" << kind << "] inputs of a sample have shapes " << out.text() << " and "
                   << input.text() << "; expected equal sizes, or 1, from the last axis on");
      size = size == kAnySize || more == kAnySize ? kAnySize : (size == 1 ? more : size);
    }
    out = both;
  }
  return out;
}

}  // namespace lstmfast::layers
