// The shape of one sample as it passes from layer to layer: sizes without the batch axis. Knows no
// layers.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/plain.h"
#include "base/shape_text.h"

namespace lstmfast::layers {

constexpr index kAnySize = -1;  // a number of steps that each call sets

// The last axis counts features. A layer that acts on features alone takes all axes before them as
// rows.
struct Shape {
  static constexpr int kMaxRank = 5;
  static constexpr index kMaxElements = index{1} << 40;  // times a batch: far from overflow

  int rank = 0;
  index sizes[kMaxRank] = {};

  Shape() = default;
  Shape(std::initializer_list<index> list) {
    for (const index size : list) append(size);
  }
  explicit Shape(const std::vector<index>& list) {
    for (const index size : list) append(size);
  }

  void append(index size) {
    LF_CHECK(rank < kMaxRank, "[shape] a sample has more than " << kMaxRank << " axes");
    sizes[rank++] = size;
  }

  index features() const { return sizes[rank - 1]; }
  index rows() const { return product(rank - 1); }
  // Throws for more than kMaxElements; unknown sizes count as 1 there. The returned number is valid
  // for known() shapes alone.
  index count() const { return product(rank); }
  bool known() const {
    for (int i = 0; i < rank; ++i) {
      if (sizes[i] < 0) return false;
    }
    return true;
  }

  // The same axes with other features.
  Shape with_features(index size) const {
    Shape out = *this;
    out.sizes[rank - 1] = size;
    return out;
  }

  // Whether a sample of this (known) shape agrees with `declared`, whose kAnySize takes any size.
  bool fits(const Shape& declared) const {
    if (rank != declared.rank) return false;
    for (int i = 0; i < rank; ++i) {
      if (declared.sizes[i] != kAnySize && sizes[i] != declared.sizes[i]) return false;
    }
    return true;
  }

  bool operator==(const Shape& other) const {
    if (rank != other.rank) return false;
    for (int i = 0; i < rank; ++i) {
      if (sizes[i] != other.sizes[i]) return false;
    }
    return true;
  }
  bool operator!=(const Shape& other) const { return !(*this == other); }

  std::vector<index> with_batch(index batch) const {
    std::vector<index> out{batch};
    out.insert(out.end(), sizes, sizes + rank);
    return out;
  }
  std::string text() const { return base::shape_text(sizes, rank); }

 private:
  index product(int axes) const {
    index n = 1;
    for (int i = 0; i < axes; ++i) {
      LF_CHECK(n == 0 || sizes[i] <= kMaxElements / std::abs(n),
               "[shape] a sample has shape " << text() << "; expected at most " << kMaxElements
                                             << " elements");
      n *= sizes[i];
    }
    return n;
  }
};

using Shapes = std::vector<Shape>;

}  // namespace lstmfast::layers
