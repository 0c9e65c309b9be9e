// What a stateful layer carries from one batch to the next. Knows no layers.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::layers {

// The parts, h and c of each direction, lie one after the other: [rows][size] each. It belongs to
// the layer, and so calls that use it exclude each other (Parameters::busy).
template <class T>
class CarriedState {
 public:
  explicit CarriedState(std::vector<index> sizes) : sizes_(std::move(sizes)) {
    for (const index size : sizes_) size_ += size;
  }

  index size() const { return size_; }  // of all parts of one row
  // Of every batch; 0: the next one says. While a call goes through batches it holds its rows, so
  // that none of the calls that code of the caller's makes in between can change them.
  index rows() const { return rows_ > 0 ? rows_ : held_; }
  // Returns what was held before.
  index hold(index rows) { return std::exchange(held_, rows); }
  // Part `i` of all rows.
  T* part(index i) {
    index before = 0;
    for (index j = 0; j < i; ++j) before += sizes_[static_cast<std::size_t>(j)];
    return values_.data() + before * rows_;
  }

  // Zeros for so many rows, unless it carries them already.
  void begin(index rows) {
    if (rows_ == rows) return;
    values_.resize(size_ * rows);
    rows_ = rows;
  }
  // Zeros again; the next call may have other rows.
  void reset() { rows_ = 0; }

  void copy_to(std::vector<T>& copy) const {
    copy.insert(copy.end(), values_.data(), values_.data() + size_ * rows_);
  }
  index carried_rows() const { return rows_; }  // 0: nothing is carried yet, which is zeros
  // What copy_to() copied when so many rows were carried; returns what follows it.
  const T* restore(const T* copy, index rows) {
    std::copy_n(copy, size_ * rows, values_.data());
    rows_ = rows;
    return copy + size_ * rows;
  }

 private:
  std::vector<index> sizes_;
  index size_ = 0, rows_ = 0, held_ = 0;
  base::Buffer<T> values_;  // larger than size_ * rows_ where an earlier batch was
};

}  // namespace lstmfast::layers
