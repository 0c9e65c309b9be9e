// What the stateful layers of a model carry from one batch to the next, for one call. Knows no
// training.
#pragma once

#include <vector>

#include "base/check.h"
#include "layers/carried.h"

namespace lstmfast::model {

template <class T>
using CarriedStates = std::vector<layers::CarriedState<T>*>;

// Of every batch; 0: the next one says, or no layer is stateful.
template <class T>
index carried_rows(const CarriedStates<T>& states, index fixed) {
  for (const layers::CarriedState<T>* state : states) {
    if (state->rows() > 0) return state->rows();
  }
  return states.empty() ? 0 : fixed;
}

// One call that goes through batches.
template <class T>
class CarriedUse {
 public:
  // For batches of so many of `count` samples, named `what` in errors. `fixed`: rows of every
  // batch, or 0. Throws std::invalid_argument, and nothing has changed, unless all batches have the
  // rows that are carried.
  CarriedUse(const CarriedStates<T>& states, index fixed, const char* op, const char* what,
             index count, index batch) {
    if (states.empty() || count == 0) return;
    const index carried = carried_rows(states, fixed), rows = carried > 0 ? carried : batch;
    const index last = count % batch;
    LF_CHECK(batch == rows && last == 0,
             "[" << op << "] " << what << " makes a batch of " << (batch != rows ? batch : last)
                 << " samples; expected " << rows
                 << " in every batch, for the model is stateful and carries the state of each "
                    "row: pass a multiple of "
                 << rows << " samples, " << rows << " at a time");
    before_.reserve(states.size());
    for (layers::CarriedState<T>* state : states) before_.push_back(state->hold(rows));
    states_ = &states;
  }
  ~CarriedUse() {
    for (std::size_t i = before_.size(); i-- > 0;) (*states_)[i]->hold(before_[i]);
  }
  CarriedUse(const CarriedUse&) = delete;
  CarriedUse& operator=(const CarriedUse&) = delete;

 private:
  const CarriedStates<T>* states_ = nullptr;
  std::vector<index> before_;  // rows that each held
};

// Restores at its end what was carried at its beginning, unless keep() was called: a step that does
// not happen carries nothing on.
template <class T>
class CarriedUndo {
 public:
  // `room` is memory for a copy, for as long as this lives.
  CarriedUndo(const CarriedStates<T>& states, std::vector<T>& room) : states_(states), copy_(room) {
    copy_.clear();
    for (const layers::CarriedState<T>* state : states) {
      state->copy_to(copy_);
      rows_.push_back(state->carried_rows());
    }
  }
  ~CarriedUndo() {
    if (!active_) return;
    const T* from = copy_.data();
    for (std::size_t i = 0; i < rows_.size(); ++i) from = states_[i]->restore(from, rows_[i]);
  }
  CarriedUndo(const CarriedUndo&) = delete;
  CarriedUndo& operator=(const CarriedUndo&) = delete;

  void keep() { active_ = false; }

 private:
  const CarriedStates<T>& states_;
  std::vector<T>& copy_;
  std::vector<index> rows_;  // of each state
  bool active_ = true;
};

}  // namespace lstmfast::model
