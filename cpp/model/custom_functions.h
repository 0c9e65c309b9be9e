// Losses, metrics and a schedule that the caller computes; a configuration contains their names
// alone. Knows no training.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "losses/custom_loss.h"
#include "metrics/custom_metric.h"
#include "optim/schedule.h"

namespace lstmfast::model {

template <class T>
struct Custom {
  std::vector<losses::LossFunction<T>> losses;    // by output; empty unless its loss is "custom"
  std::vector<metrics::CustomMetric<T>> metrics;  // the metric "custom:N" is number N
  optim::Schedule schedule = nullptr;  // of the learning rate; null unless it is "custom"
};

// One metric of a configuration.
template <class T>
struct MetricChoice {
  std::string name;                             // as written
  std::unique_ptr<metrics::Metric<T>> of_core;  // gathers nothing itself; null: a custom one
  bool weighted = false;                        // whether samples count by their weights
  metrics::CustomMetric<T> custom;              // null: the core's

  std::unique_ptr<metrics::Metric<T>> make(index columns, index target_columns) const {
    if (custom) return std::make_unique<metrics::FunctionMetric<T>>(custom());
    auto out = of_core->copy();
    out->suit({name, columns, target_columns});
    return out;
  }
};

}  // namespace lstmfast::model
