// Losses and metrics that the caller computes; a configuration contains their names alone. Knows no
// training.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "losses/custom_loss.h"
#include "metrics/custom_metric.h"

namespace lstmfast::model {

template <class T>
struct Custom {
  std::vector<losses::LossFunction<T>> losses;    // by output; null unless its loss is "custom"
  std::vector<metrics::CustomMetric<T>> metrics;  // the metric "custom:N" is number N
};

// One metric of a configuration.
template <class T>
struct MetricChoice {
  std::string name;                 // as written
  metrics::CustomMetric<T> custom;  // null: the core's metric of that name

  std::unique_ptr<metrics::Metric<T>> make(index columns, index target_columns) const {
    if (custom) return std::make_unique<metrics::FunctionMetric<T>>(custom());
    return metrics::make_metric<T>(name, columns, target_columns);
  }
};

}  // namespace lstmfast::model
