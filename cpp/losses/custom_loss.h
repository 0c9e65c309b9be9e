// A custom loss: a function of the caller's in place of a kernel. Knows no language.
#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "losses/loss.h"

namespace lstmfast::losses {

template <class T>
struct LossFunction {
  // Returns the value and, where batch.gradient is not null, writes the whole gradient. All arrays
  // are contiguous, of prediction_shape and target_shape; pointers are valid during the call only.
  // Called with the caller's floating-point mode, on any thread that trains or evaluates; an
  // exception ends the running call.
  std::function<double(const LossBatch<T>& batch)> value;
  // Whether value() heeds weights of batches of these shapes; null: it does not.
  std::function<bool(const base::BatchShape& prediction, const base::BatchShape& target)> weighs;

  LossFunction() = default;
  template <class F, class = std::enable_if_t<std::is_invocable_v<F, const LossBatch<T>&>>>
  LossFunction(F f) : value(std::move(f)) {}  // NOLINT(google-explicit-constructor)
};

// Targets may have any shape that begins with the samples.
template <class T>
class FunctionLoss final : public Loss<T> {
 public:
  FunctionLoss(std::string name, LossFunction<T> function)
      : Loss<T>(std::move(name)), function_(std::move(function)) {}

  bool foreign() const override { return true; }
  bool weighs(const base::BatchShape& prediction, const base::BatchShape& target) const override {
    return function_.weighs && function_.weighs(prediction, target);
  }
  index target_columns(index) const override { return kAnyColumns; }
  void check_shapes(const std::vector<index>&, const std::vector<index>&) const override {}
  double value(const LossBatch<T>& batch) const override { return function_.value(batch); }

 private:
  LossFunction<T> function_;
};

}  // namespace lstmfast::losses
