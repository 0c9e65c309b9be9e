// The state that a stateful layer carries from one batch to the next. Knows no layers.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::layers {

// The parts, h and c of each direction, are stored one after the other: [rows][size] each. The
// state belongs to the layer, so calls that use it exclude each other (Parameters::busy).
template <class T>
class CarriedState {
 public:
  explicit CarriedState(std::vector<index> sizes) : sizes_(std::move(sizes)) {
    for (const index size : sizes_) size_ += size;
  }

  index size() const { return size_; }  // of all parts of one row
  // Rows of every batch; 0: as many as the next batch has. A call over several batches holds its
  // number of rows, so that calls made by callbacks between the batches cannot change it.
  index rows() const { return rows_ > 0 ? rows_ : held_; }
  // Calls inside a call leave the number as it is.
  void hold(index rows) {
    if (holds_++ == 0) held_ = rows;
  }
  void release() {
    if (--holds_ == 0) held_ = 0;
  }
  const std::vector<index>& sizes() const { return sizes_; }  // of the parts
  // Part `i` of all rows.
  T* part(index i) {
    index before = 0;
    for (index j = 0; j < i; ++j) before += sizes_[static_cast<std::size_t>(j)];
    return values_.data() + before * rows_;
  }

  // Starts with zeros for `rows`, unless that many rows are carried already.
  void begin(index rows) {
    if (rows_ == rows) return;
    values_.resize(size_ * rows);
    rows_ = rows;
  }
  // The next call starts from zeros and may have any number of rows.
  void reset() { rows_ = 0; }

  void copy_to(std::vector<T>& copy) const {
    copy.insert(copy.end(), values_.data(), values_.data() + size_ * rows_);
  }
  index carried_rows() const { return rows_; }  // 0: nothing is carried yet; the state is zeros
  // Restores what copy_to() copied when `rows` were carried. Returns the end of that copy.
  const T* restore(const T* copy, index rows) {
    std::copy_n(copy, size_ * rows, values_.data());
    rows_ = rows;
    return copy + size_ * rows;
  }

 private:
  std::vector<index> sizes_;
  index size_ = 0, rows_ = 0, held_ = 0, holds_ = 0;
  base::Buffer<T> values_;  // larger than size_ * rows_ after a larger batch
};

}  // namespace lstmfast::layers
