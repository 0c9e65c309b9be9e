// What the metrics share: the list, and the weights of rows. Knows no particular metric.
#pragma once

#include "base/check.h"
#include "metrics/metric.h"
#include "ops/vector.h"

namespace lstmfast::metrics {

using Family = base::Registry<Metric, const MetricUse&>;
using Component = Family::Component;

#define METRIC(kind, alias) Component kind();
#include "metrics/metrics.def"
#undef METRIC

// The sum of the weights of a batch's rows.
template <class T>
double counted(const MetricBatch<T>& batch) {
  return batch.weights ? ops::sum(batch.rows, batch.weights) : static_cast<double>(batch.rows);
}

inline void check_columns(const MetricUse& use) {
  LF_CHECK(use.columns == use.target_columns,
           "[" << use.name << "] target has " << use.target_columns << " values a row; expected "
               << use.columns << ", as the prediction");
}

}  // namespace lstmfast::metrics
