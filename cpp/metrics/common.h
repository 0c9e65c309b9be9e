// What the metrics share: the list's makers. Knows no particular metric.
#pragma once

#include "base/check.h"
#include "metrics/metric.h"
#include "ops/vector.h"

namespace lstmfast::metrics {

// `written`: the name as the user wrote it.
#define METRIC(name, alias)                                                         \
  template <class T>                                                                \
  std::unique_ptr<Metric<T>> make_##name(const std::string& written, index columns, \
                                         index target_columns);
#include "metrics/metrics.def"
#undef METRIC

// At the end of the file that defines make_<name>.
#define LF_METRIC_INSTANTIATE(name)                                                      \
  template std::unique_ptr<Metric<float>> make_##name(const std::string&, index, index); \
  template std::unique_ptr<Metric<double>> make_##name(const std::string&, index, index);

// What the rows of a batch count.
template <class T>
double counted(const MetricBatch<T>& batch) {
  return batch.weights ? ops::sum(batch.rows, batch.weights) : static_cast<double>(batch.rows);
}

inline void check_columns(const std::string& written, index columns, index target_columns) {
  LF_CHECK(columns == target_columns, "[" << written << "] target has " << target_columns
                                          << " values a row; expected " << columns
                                          << ", as the prediction");
}

}  // namespace lstmfast::metrics
