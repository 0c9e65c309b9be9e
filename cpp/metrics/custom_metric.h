// A custom metric: functions of the caller's. Knows no language.
#pragma once

#include <functional>
#include <utility>

#include "metrics/metric.h"

namespace lstmfast::metrics {

// The functions of one metric in one call, with their own state. All arrays are contiguous, of
// prediction_shape and target_shape. Called with the caller's floating-point mode; an exception
// ends the running call.
template <class T>
struct MetricFunctions {
  std::function<void()> reset;
  std::function<void(const MetricBatch<T>& batch)> update;
  std::function<double()> result;  // called only after an update
};

// Makes the functions for one call, since calls may run concurrently.
template <class T>
using CustomMetric = std::function<MetricFunctions<T>()>;

template <class T>
class FunctionMetric final : public MetricWith<T, FunctionMetric<T>> {
 public:
  explicit FunctionMetric(MetricFunctions<T> functions) : functions_(std::move(functions)) {
    functions_.reset();
  }

  bool foreign() const override { return true; }
  void suit(const MetricUse&) override {}
  void reset() override {
    updated_ = false;
    functions_.reset();
  }
  void accumulate(const MetricBatch<T>& batch) override {
    functions_.update(batch);
    updated_ = true;
  }

 protected:
  double result() const override { return updated_ ? functions_.result() : 0.0; }

 private:
  MetricFunctions<T> functions_;
  bool updated_ = false;
};

}  // namespace lstmfast::metrics
