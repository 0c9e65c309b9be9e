// What stateful layers carry from one batch to the next: it belongs to the model, not to the memory
// of a pass, and so calls that use it exclude each other. Knows no training.
#pragma once

#include <algorithm>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "layers/chain.h"

namespace lstmfast::model {

template <class T>
class Carried {
 public:
  // rows: of every batch; 0: of the first one since the last reset.
  Carried(const layers::Chain<T>& chain, index rows)
      : chain_(chain), fixed_(rows), size_(chain.carried_before(chain.size())) {}

  bool any() const { return size_ > 0; }
  // Of every batch; 0: the next one says.
  index rows() const { return rows_ > 0 ? rows_ : fixed_; }

  // As layers::Pass takes it, for batches of so many of `count` samples; null without stateful
  // layers. Throws std::invalid_argument unless all batches have the rows that are carried.
  T* at(const char* op, index count, index batch) {
    if (!any() || count == 0) return nullptr;
    const index rows = this->rows() > 0 ? this->rows() : batch;
    const index last = count % batch;
    LF_CHECK(batch == rows && last == 0,
             "[" << op << "] x makes a batch of " << (batch != rows ? batch : last)
                 << " samples; expected " << rows
                 << " in every batch, for the model is stateful and carries the state of each row");
    if (rows_ == 0) {
      values_.resize(size_ * rows);
      rows_ = rows;
    }
    return values_.data();
  }

  // Where the part of a layer begins in at().
  T* of_layer(T* all, index layer) const { return all + chain_.carried_before(layer) * rows_; }

  // A copy, and back to it: what a step that did not happen has carried on is forgotten.
  void save(std::vector<T>& copy) const { copy.assign(values_.begin(), values_.end()); }
  void restore(const std::vector<T>& copy) { std::copy(copy.begin(), copy.end(), values_.begin()); }

  // Zeros again. Of all layers: and the next batch may have other rows, where none were fixed.
  void reset() {
    values_.zero();
    rows_ = 0;
  }
  void reset(index layer) {
    if (rows_ == 0) return;
    std::fill(of_layer(values_.data(), layer), of_layer(values_.data(), layer + 1), T(0));
  }

 private:
  const layers::Chain<T>& chain_;
  index fixed_, size_;
  index rows_ = 0;  // 0: there was no batch
  base::Buffer<T> values_;
};

}  // namespace lstmfast::model
