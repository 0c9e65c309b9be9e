#include "metrics/metric.h"

#include "metrics/common.h"

namespace lstmfast::metrics {

template <class T>
double Metric<T>::result() const {
  return count_ > 0 ? total_ / count_ : 0.0;
}

const base::Registry<Metric, const MetricUse&>& registry() {
  static const base::Registry<Metric, const MetricUse&> metrics("metric", {
#define METRIC(kind, alias) {#kind, #alias, kind()},
#include "metrics/metrics.def"
#undef METRIC
                                                                          });
  return metrics;
}

template class Metric<float>;
template class Metric<double>;

}  // namespace lstmfast::metrics
