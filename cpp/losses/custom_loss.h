// A custom loss: a function of the caller's in place of a kernel. Knows no language.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "losses/loss.h"

namespace lstmfast::losses {

// Returns the value and, where batch.gradient is not null, writes the whole gradient. All arrays
// are contiguous, of prediction_shape and target_shape; pointers are valid during the call only.
// Called with the caller's floating-point mode, on any thread that trains or evaluates; an
// exception ends the running call.
template <class T>
using LossFunction = std::function<double(const LossBatch<T>& batch)>;

// Targets may have any shape that begins with the samples.
template <class T>
std::unique_ptr<Loss<T>> make_custom(std::string name, LossFunction<T> function);

}  // namespace lstmfast::losses
