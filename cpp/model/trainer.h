// The training loop: epochs of shuffled batches, validation after each, callbacks. Knows no
// particular layer, loss or optimizer, and no Python.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "model/batch_source.h"
#include "model/callbacks.h"
#include "model/data.h"
#include "model/model.h"

namespace lstmfast::model {

// The reaction to a loss or a gradient that is infinite or NaN. `raise` and `stop` leave the
// weights as they were before that batch. These may be infinite or NaN already, after too large a
// step before; the error of `raise` says so.
enum class OnNonFinite { raise, stop, ignore };

struct NonFinite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct FitOptions {
  index batch_size = 32;
  index epochs = 1;         // the number of the last epoch, counted from 0, plus 1
  index initial_epoch = 0;  // the number of the first epoch
  bool shuffle = true;
  index validation_batch_size = 32;
  bool validate = true;  // false: validation data are only checked; callbacks evaluate them
  OnNonFinite on_nonfinite = OnNonFinite::raise;
};

// A value for each name.
struct Scores {
  std::vector<std::string> names;
  std::vector<double> values;
};

struct History {
  std::vector<std::string> names;           // loss, metrics; then val_loss, val_metrics
  std::vector<std::vector<double>> epochs;  // of each the values by name
};

// Each epoch orders the samples and then, for each batch, runs gather, forward, loss, backward,
// clip and step. The order depends on the seed and on the number of epochs begun since compile.
// After the last, weights become their average where the optimizer keeps one.
// `validation` may be null. `history` receives the epochs that ended, also if this throws. A fit
// that is refused leaves `history` unchanged and calls no callback.
template <class T>
void fit(Model<T>& model, const Examples<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history);
// Likewise with the batches of a source, which orders them: each epoch is one pass. batch_size and
// shuffle are not used.
template <class T>
void fit(Model<T>& model, const BatchSource<T>& train, const Examples<T>* validation,
         const FitOptions& options, const Callbacks& callbacks, History& history);

// Sets the order in which the next epoch of fit() takes so many samples.
template <class T>
void order_samples(const Training<T>& training, index count, std::vector<index>& order);

// Loss and metrics without training. `op` names the operation in errors.
template <class T>
Scores evaluate(const Model<T>& model, const Examples<T>& examples, index batch_size,
                const Callbacks& callbacks = {}, const char* op = "model.evaluate");
template <class T>
Scores evaluate(const Model<T>& model, const BatchSource<T>& source,
                const Callbacks& callbacks = {}, const char* op = "model.evaluate");

// Replaces the weights that are trained by their average, if the optimizer keeps one.
template <class T>
void take_average(Model<T>& model);

// One step on all examples as one batch. Returns loss and metrics from before the step.
template <class T>
Scores train_on_batch(Model<T>& model, const Examples<T>& batch);

}  // namespace lstmfast::model
