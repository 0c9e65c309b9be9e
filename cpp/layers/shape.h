// The shape of one sample as it passes from layer to layer: sizes without the batch axis. Knows no
// layers.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/plain.h"
#include "base/shape_text.h"

namespace lstmfast::layers {

constexpr index kAnySize = -1;  // a number of steps that each call sets

// Whether two sizes are equal in all calls or may be in some.
inline bool may_equal(index a, index b) { return a == b || a == kAnySize || b == kAnySize; }

// The last axis counts features. A layer that acts on features alone takes all axes before them as
// rows.
struct Shape {
  static constexpr int kMaxRank = 5;
  static constexpr index kMaxElements = index{1} << 40;  // times a batch: far from overflow

  int rank = 0;
  index sizes[kMaxRank] = {};

  Shape() = default;
  Shape(std::initializer_list<index> list) {  // without an allocation: calls of lf.LSTM make some
    for (const index size : list) append(size);
  }
  explicit Shape(const std::vector<index>& list) {
    for (const index size : list) append(size);
  }

  void append(index size) {
    LF_CHECK(rank < kMaxRank, "[shape] a sample has more than " << kMaxRank << " axes");
    sizes[rank++] = size;
  }

  const index* begin() const { return sizes; }
  const index* end() const { return sizes + rank; }

  // A sample without axes is one row of one feature.
  index features() const { return rank == 0 ? 1 : sizes[rank - 1]; }
  index rows() const { return count(0, rank - 1); }
  // Throws for more than kMaxElements; unknown sizes count as 1 there. The returned number is valid
  // for known() shapes alone.
  index count() const { return count(0, rank); }
  // Of the axes first .. last - 1 alone, as count().
  index count(int first, int last) const {
    index n = 1;
    for (int i = first; i < last; ++i) {
      LF_CHECK(n == 0 || sizes[i] <= kMaxElements / std::abs(n),
               "[shape] a sample has shape " << text() << "; expected at most " << kMaxElements
                                             << " elements");
      n *= sizes[i];
    }
    return n;
  }
  bool known() const { return std::find(begin(), end(), kAnySize) == end(); }

  // The same axes with other features.
  Shape with_features(index size) const {
    Shape out = *this;
    out.sizes[rank - 1] = size;
    return out;
  }

  // All axes but one.
  Shape without(int axis) const {
    Shape out = *this;
    std::copy(out.sizes + axis + 1, out.sizes + rank, out.sizes + axis);
    --out.rank;
    return out;
  }
  // The axes of both.
  Shape operator+(const Shape& more) const {
    Shape out = *this;
    for (const index size : more) out.append(size);
    return out;
  }

  // Whether a sample of this (known) shape agrees with `declared`, whose kAnySize takes any size.
  bool fits(const Shape& declared) const {
    return std::equal(begin(), end(), declared.begin(), declared.end(),
                      [](index own, index any) { return any == kAnySize || own == any; });
  }

  bool operator==(const Shape& other) const {
    bool equal = rank == other.rank;  // not by std::equal, which calls memcmp for a few sizes
    for (int i = 0; equal && i < rank; ++i) equal = sizes[i] == other.sizes[i];
    return equal;
  }

  std::vector<index> with_batch(index batch) const {
    std::vector<index> out{batch};
    out.insert(out.end(), begin(), end());
    return out;
  }
  std::string text() const { return base::shape_text(sizes, rank); }
};

using Shapes = std::vector<Shape>;

}  // namespace lstmfast::layers
