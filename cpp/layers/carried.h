// The state that a stateful layer carries from one batch to the next. Knows no layers.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "base/plain.h"

namespace lstmfast::layers {

// The parts, h and c of each direction, are [rows][size] each. They start on cache lines and have
// room for a vector at their ends, so that kernels may work on whole vectors of a single row. The
// state belongs to the layer, so calls that use it exclude each other (Parameters::busy).
template <class T>
class CarriedState {
 public:
  explicit CarriedState(std::vector<index> sizes)
      : sizes_(std::move(sizes)), starts_(sizes_.size()) {
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
  T* part(index i) { return values_.data() + begin_of(i, rows_); }

  // What part `i` of a row that begins is; null: zeros. `values` must outlive this object.
  void set_start(index i, const T* values) { starts_[static_cast<std::size_t>(i)] = values; }
  const T* start(index i) const { return starts_[static_cast<std::size_t>(i)]; }

  // Starts with zeros for `rows`, unless that many rows are carried already.
  void begin(index rows) {
    if (rows_ == rows) return;
    values_.resize(begin_of(static_cast<index>(sizes_.size()), rows));
    rows_ = rows;
  }
  // The next call starts from zeros and may have any number of rows.
  void reset() { rows_ = 0; }

  void copy_to(std::vector<T>& copy) const {
    if (rows_ == 0) return;
    index part = 0;
    for (const index size : sizes_) {
      const T* const from = values_.data() + begin_of(part++, rows_);
      copy.insert(copy.end(), from, from + size * rows_);
    }
  }
  index carried_rows() const { return rows_; }  // 0: nothing is carried yet; the state is zeros
  // Restores what copy_to() copied when `rows` were carried. Returns the end of that copy.
  const T* restore(const T* copy, index rows) {
    rows_ = rows;
    index part = 0;
    for (const index size : sizes_) {
      std::copy_n(copy, size * rows, this->part(part++));
      copy += size * rows;
    }
    return copy;
  }

 private:
  static constexpr index kLine = 64 / sizeof(T);

  index begin_of(index part, index rows) const {
    index begin = 0;
    for (index i = 0; i < part; ++i) {
      begin += (sizes_[static_cast<std::size_t>(i)] * rows + 2 * kLine - 1) / kLine * kLine;
    }
    return begin;
  }

  std::vector<index> sizes_;
  std::vector<const T*> starts_;
  index size_ = 0, rows_ = 0, held_ = 0, holds_ = 0;
  base::Buffer<T> values_;  // more than is used after a larger batch
};

}  // namespace lstmfast::layers
