// What the metrics share: the list, and the weights of rows. Knows no particular metric.
#pragma once

#include "base/check.h"
#include "metrics/metric.h"
#include "ops/vector.h"

namespace lstmfast::metrics {

using Family = base::Registry<Metric>;
using Component = Family::Component;

#define METRIC(kind, alias) Component kind();
#include "metrics/metrics.def"
#undef METRIC

// The sum of the weights of a batch's rows.
template <class T>
double counted(const MetricBatch<T>& batch) {
  return batch.weights ? ops::sum(batch.rows, batch.weights) : static_cast<double>(batch.rows);
}

inline void check_labels(const MetricUse& use) {
  LF_CHECK(use.target_columns == 1, "[" << use.name << "] target has " << use.target_columns
                                        << " values a row; expected 1, a label");
}

// Calls f(r, prediction, target, weight) for the rows that have a weight other than 0.
template <class T, class F>
void for_rows(const MetricBatch<T>& batch, F f) {
  for (index r = 0; r < batch.rows; ++r) {
    const double weight = batch.weights ? static_cast<double>(batch.weights[r]) : 1;
    if (weight == 0) continue;
    f(r, batch.prediction + r * batch.prediction_stride, batch.target + r * batch.target_stride,
      weight);
  }
}

// The weight of element j of a row.
template <class T>
double weight_at(const MetricBatch<T>& batch, index row, index j, double of_row) {
  if (batch.element_weights == nullptr) return of_row;
  return static_cast<double>(batch.element_weights[row * batch.columns + j]);
}

// The batch with each element as a row, if elements have weights: for means over elements.
template <class T>
MetricBatch<T> with_element_rows(MetricBatch<T> batch) {
  if (batch.element_weights == nullptr) return batch;
  batch.rows *= batch.columns;
  batch.columns = batch.prediction_stride = batch.target_stride = 1;
  batch.weights = batch.element_weights;
  return batch;
}

}  // namespace lstmfast::metrics
