// A custom metric: functions of the caller's. Knows no language.
#pragma once

#include <functional>
#include <memory>
#include <string>

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
std::unique_ptr<Metric<T>> make_custom(const std::string& name, MetricFunctions<T> functions);

}  // namespace lstmfast::metrics
