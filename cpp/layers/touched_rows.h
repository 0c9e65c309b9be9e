// Which rows of a table of weights a step's gradients touch: those of an Embedding's ids. Knows no
// layers.
//
// A GradientLayout has one for each sparse Parameters. Row r is `length` elements at Entry::offset
// + r * length of the flat block of gradients. Invariant: rows of gradients that are not touched
// are zero. Therefore, with for_runs() over neighbouring touched rows,
//   zeroing             zeroes the runs, then calls clear(); the block starts as zeros;
//   a regularizer       of the table calls add_all() first, since its gradient touches all rows;
//   finite check, norms and clipping by value, norm or global norm
//                       visit the runs in place of the table, in the order of the layout;
//   SGD without momentum updates the runs alone;
//   other optimizers    update the table in one pass: moments of all rows decay, as in Keras.
// A row is touched before anything is added to it, so the zeroing above also undoes an interrupted
// backward. A constraint visits the whole table. The zeroing covers layers frozen since, too.
#pragma once

#include <algorithm>
#include <vector>

#include "base/plain.h"

namespace lstmfast::layers {

class TouchedRows {
 public:
  TouchedRows(index rows, index length)
      : touched_(static_cast<std::size_t>(rows)), length_(length) {
    rows_.reserve(touched_.size());
  }

  // Allocates nothing.
  void add(index row) {
    unsigned char& touched = touched_[static_cast<std::size_t>(row)];
    if (touched == 0) rows_.push_back(row);
    touched = 1;
  }
  void add_all() {
    for (index row = 0; row < static_cast<index>(touched_.size()); ++row) add(row);
  }
  void clear() {
    for (const index row : rows_) touched_[static_cast<std::size_t>(row)] = 0;
    rows_.clear();
  }

  index count() const { return static_cast<index>(rows_.size()); }

  // Calls f(first element, number of elements) of the table for the runs, ascending.
  template <class F>
  void for_runs(F&& f) {
    if (!std::is_sorted(rows_.begin(), rows_.end())) sort();
    for (std::size_t begin = 0, end; begin < rows_.size(); begin = end) {
      end = begin + 1;
      while (end < rows_.size() && rows_[end] == rows_[end - 1] + 1) ++end;
      f(rows_[begin] * length_, static_cast<index>(end - begin) * length_);
    }
  }

 private:
  void sort() {
    if (rows_.size() < touched_.size() / kFew) return std::sort(rows_.begin(), rows_.end());
    rows_.clear();
    for (std::size_t row = 0; row < touched_.size(); ++row) {
      if (touched_[row] != 0) rows_.push_back(static_cast<index>(row));
    }
  }

  static constexpr std::size_t kFew = 64;  // looking at so many rows takes as long as sorting one
  std::vector<unsigned char> touched_;     // by row
  std::vector<index> rows_;                // each touched row once
  index length_;
};

}  // namespace lstmfast::layers
