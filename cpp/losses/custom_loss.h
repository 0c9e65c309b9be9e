// A loss that somebody else computes: a function in the place of a kernel. Knows no language.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "losses/loss.h"

namespace lstmfast::losses {

// Returns the value and, where batch.gradient is given, writes all of it. Everything lies without
// gaps and is shaped as prediction_shape and target_shape say. Pointers hold during the call only.
// Called with the caller's floating-point mode, from any thread that trains or evaluates; what it
// throws leaves the running call.
template <class T>
using LossFunction = std::function<double(const LossBatch<T>& batch)>;

// Targets may have any shape that begins with the samples.
template <class T>
std::unique_ptr<Loss<T>> make_custom(std::string name, LossFunction<T> function);

}  // namespace lstmfast::losses
