// The carried states of a model's stateful layers during one call. Knows no training.
#pragma once

#include <vector>

#include "base/check.h"
#include "base/no_copy.h"
#include "layers/carried.h"

namespace lstmfast::model {

template <class T>
using CarriedStates = std::vector<layers::CarriedState<T>*>;

// Rows of every batch; 0: as many as the next batch has, or no layer is stateful.
template <class T>
index carried_rows(const CarriedStates<T>& states, index fixed) {
  for (const layers::CarriedState<T>* state : states) {
    if (state->rows() > 0) return state->rows();
  }
  return states.empty() ? 0 : fixed;
}

// One call over several batches.
template <class T>
class CarriedUse : base::NoCopy {
 public:
  // batch: samples of a batch; count: of the call, named `what` in errors; fixed: rows of every
  // batch, or 0. Throws std::invalid_argument, with nothing changed, unless all batches have as
  // many rows as are carried.
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
    states_ = &states;
    for (layers::CarriedState<T>* state : states) state->hold(rows);
  }
  ~CarriedUse() {
    if (states_ == nullptr) return;
    for (layers::CarriedState<T>* state : *states_) state->release();
  }

 private:
  const CarriedStates<T>* states_ = nullptr;  // null: nothing is held
};

// A copy of the states, in memory that is kept from step to step.
template <class T>
struct CarriedCopy {
  std::vector<T> values;    // of all states in turn
  std::vector<index> rows;  // of each state
};

// The destructor restores the states of construction, unless keep() was called: a failed step does
// not change what is carried.
template <class T>
class CarriedUndo : base::NoCopy {
 public:
  // `copy` must outlive this object.
  CarriedUndo(const CarriedStates<T>& states, CarriedCopy<T>& copy) : states_(states), copy_(copy) {
    copy_.values.clear();
    copy_.rows.clear();
    for (const layers::CarriedState<T>* state : states) {
      state->copy_to(copy_.values);
      copy_.rows.push_back(state->carried_rows());
    }
  }
  ~CarriedUndo() {
    if (!active_) return;
    const T* from = copy_.values.data();
    for (std::size_t i = 0; i < states_.size(); ++i) {
      from = states_[i]->restore(from, copy_.rows[i]);
    }
  }

  void keep() { active_ = false; }

 private:
  const CarriedStates<T>& states_;
  CarriedCopy<T>& copy_;
  bool active_ = true;
};

}  // namespace lstmfast::model
