// Where a call's batches come from that are not arrays in memory, as C function pointers. Knows no
// model and no language.
#pragma once

#include "model/data.h"

namespace lstmfast::model {

// What a function throws ends the call.
template <class T>
struct BatchSource {
  void* context = nullptr;
  index batches = 0;  // of a pass; 0: unknown
  // The batch that `next` returns first, without a pass: it is checked before a call begins. Valid
  // until `next`.
  const Examples<T>& (*first)(void* context) = nullptr;
  // Begins a pass: an epoch, or an evaluation.
  void (*begin)(void* context) = nullptr;
  // The pass's next batch, valid until the next call; null: the pass ends.
  const Examples<T>* (*next)(void* context) = nullptr;
  // Ends a pass, also one that is cut short, after its last step.
  void (*end)(void* context) = nullptr;
};

}  // namespace lstmfast::model
