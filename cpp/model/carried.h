// What stateful layers carry from one batch to the next: it belongs to the model, not to the memory
// of a pass, and so calls that use it exclude each other. Knows no training.
#pragma once

#include <algorithm>
#include <utility>
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
  index rows() const { return rows_ > 0 ? rows_ : held_ > 0 ? held_ : fixed_; }

  // One call that goes through batches. Between two of them, code of the caller's may make other
  // calls on the model; while this lives, reset() leaves the number of rows as it is, so that none
  // of those can change it.
  class Use {
   public:
    // For batches of so many of `count` samples, named `what` in errors. Throws
    // std::invalid_argument, and nothing has changed, unless all batches have the rows that are
    // carried.
    Use(Carried& carried, const char* op, const char* what, index count, index batch) {
      if (!carried.any() || count == 0) return;
      const index rows = carried.rows() > 0 ? carried.rows() : batch;
      const index last = count % batch;
      LF_CHECK(batch == rows && last == 0,
               "[" << op << "] " << what << " makes a batch of " << (batch != rows ? batch : last)
                   << " samples; expected " << rows
                   << " in every batch, for the model is stateful and carries the state of each "
                      "row: pass a multiple of "
                   << rows << " samples, " << rows << " at a time");
      carried_ = &carried;
      outer_ = std::exchange(carried.held_, rows);
    }
    ~Use() {
      if (carried_ != nullptr) carried_->held_ = outer_;
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    // As layers::Pass takes it; null without stateful layers. Ask before every batch: the pointer
    // holds until code of the caller's runs.
    T* state() const {
      if (carried_ == nullptr) return nullptr;
      if (carried_->rows_ == 0) carried_->begin();
      return carried_->values_.data();
    }

   private:
    Carried* carried_ = nullptr;  // null: nothing is carried
    index outer_ = 0;
  };

  // At its end, what was carried at its beginning is put back, unless keep() was called: a step
  // that does not happen carries nothing on.
  class Undo {
   public:
    // `room` is memory for a copy, for as long as this lives.
    Undo(Carried& carried, std::vector<T>& room)
        : carried_(carried), rows_(carried.rows_), copy_(room) {
      copy_.assign(carried.values_.begin(), carried.values_.begin() + carried.size_ * rows_);
    }
    ~Undo() {
      if (!active_) return;
      std::copy(copy_.begin(), copy_.end(), carried_.values_.begin());
      carried_.rows_ = rows_;
    }
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

    void keep() { active_ = false; }

   private:
    Carried& carried_;
    index rows_;
    std::vector<T>& copy_;
    bool active_ = true;
  };

  // Where the part of a layer begins in Use::state().
  T* of_layer(T* all, index layer) const { return all + chain_.carried_before(layer) * rows_; }

  // Zeros again. Of all layers: and the next call may have other rows, where none were fixed.
  void reset() { rows_ = 0; }
  void reset(index layer) {
    if (rows_ == 0) return;
    std::fill(of_layer(values_.data(), layer), of_layer(values_.data(), layer + 1), T(0));
  }

 private:
  void begin() {
    values_.resize(size_ * held_);
    rows_ = held_;
  }

  const layers::Chain<T>& chain_;
  index fixed_, size_;
  index rows_ = 0;          // 0: nothing is carried yet, which is zeros
  index held_ = 0;          // of the call that runs; 0: none does
  base::Buffer<T> values_;  // [rows_] of each part; larger where an earlier batch was
};

}  // namespace lstmfast::model
