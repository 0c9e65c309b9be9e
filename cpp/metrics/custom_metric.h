// A metric that somebody else gathers. Knows no language.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "metrics/metric.h"

namespace lstmfast::metrics {

// The functions of one metric in one call; their state is their own. Rows lie without gaps and are
// shaped as prediction_shape and target_shape say. Called with the caller's floating-point mode;
// what they throw leaves the running call.
template <class T>
struct MetricFunctions {
  std::function<void()> reset;
  std::function<void(const MetricBatch<T>& batch)> update;
  std::function<double()> result;  // asked for only when something came
};

// Makes the functions for one call: calls may run beside each other.
template <class T>
using CustomMetric = std::function<MetricFunctions<T>()>;

template <class T>
std::unique_ptr<Metric<T>> make_custom(const std::string& name, MetricFunctions<T> functions);

}  // namespace lstmfast::metrics
