// The training loop: epochs of shuffled batches, validation after each, callbacks. Knows no
// particular layer, loss or optimizer, and no Python.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "model/callbacks.h"
#include "model/data.h"
#include "model/history.h"
#include "model/model.h"

namespace lstmfast::model {

// What to do about a loss or a gradient that is infinite or NaN. `raise` and `stop` leave the
// weights as they were before that batch: finite, unless the step before went too far. The error of
// `raise` tells which.
enum class OnNonFinite { raise, stop, ignore };

struct NonFinite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct FitOptions {
  index batch_size = 32;
  index epochs = 1;         // the number of the last one, counted from 0, plus 1
  index initial_epoch = 0;  // the number of the first one
  bool shuffle = true;
  index validation_batch_size = 32;
  bool validate = true;  // false: validation data are only checked, for callbacks to evaluate
  OnNonFinite on_nonfinite = OnNonFinite::raise;
};

struct Scores {
  std::vector<std::string> names;
  std::vector<double> values;
};

// One epoch is: order the samples, then for each batch gather, forward, loss, backward, clip, step.
// The order depends on the seed and on how many epochs began since compile. `validation` may be
// null. `history`, out: the epochs that ended, also where this throws; untouched, and no callback
// was called, where the fit is refused.
template <class T>
void fit(Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history);

// Loss and metrics without training. `op` names the operation in errors.
template <class T>
Scores evaluate(const Model<T>& model, const Examples<T>& examples, index batch_size,
                const Callbacks& callbacks = {}, const char* op = "model.evaluate");

// One step on all examples as one batch: loss and metrics of before the step.
template <class T>
Scores train_on_batch(Model<T>& model, const Examples<T>& batch,
                      OnNonFinite on_nonfinite = OnNonFinite::raise);

// An estimate of the work of a call, in floating-point operations.
template <class T>
double fit_flops(const Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
                 index epochs);

}  // namespace lstmfast::model
