#include "metrics/metric.h"

#include "metrics/common.h"

namespace lstmfast::metrics {

template <class T>
void Metric<T>::suit(const MetricUse& use) {
  LF_CHECK(use.columns == use.target_columns,
           "[" << use.name << "] target has " << use.target_columns << " values a row; expected "
               << use.columns << ", as the prediction");
}

const base::Registry<Metric>& registry() {
  static const base::Registry<Metric> metrics("metric", {
#define METRIC(kind, alias) {#kind, #alias, kind()},
#include "metrics/metrics.def"
#undef METRIC
                                                        });
  return metrics;
}

template class Metric<float>;
template class Metric<double>;

}  // namespace lstmfast::metrics
