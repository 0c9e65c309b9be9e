#include "metrics/metric.h"

#include "metrics/common.h"

namespace lstmfast::metrics {

const base::Registry<Metric, const MetricUse&>& registry() {
  static const base::Registry<Metric, const MetricUse&> metrics("metric", {
#define METRIC(kind, alias) {#kind, #alias, kind()},
#include "metrics/metrics.def"
#undef METRIC
                                                                          });
  return metrics;
}

}  // namespace lstmfast::metrics
