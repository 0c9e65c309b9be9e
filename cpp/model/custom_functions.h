// What a configuration can only name: losses and metrics that the caller computes. Knows no
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
  std::vector<losses::LossFunction<T>> losses;    // by output, where its loss is "custom"
  std::vector<metrics::CustomMetric<T>> metrics;  // "custom:N" among all metrics is number N
};

// One of the metrics that a configuration lists.
template <class T>
struct MetricChoice {
  std::string name;                 // as written
  metrics::CustomMetric<T> custom;  // null: the core's metric of that name

  std::unique_ptr<metrics::Metric<T>> make(index columns, index target_columns) const {
    return custom ? metrics::make_custom<T>(name, custom())
                  : metrics::make_metric<T>(name, columns, target_columns);
  }
};

}  // namespace lstmfast::model
