#include "metrics/metric.h"

#include "metrics/common.h"

namespace lstmfast::metrics {

template <class T>
double Metric<T>::result() const {
  return count_ > 0 ? total_ / count_ : 0.0;
}

std::vector<std::string> metric_names() {
  return {
#define METRIC(name, alias) #name,
#include "metrics/metrics.def"
#undef METRIC
  };
}

template <class T>
std::unique_ptr<Metric<T>> make_metric(const std::string& name, index columns,
                                       index target_columns) {
#define METRIC(full, alias) \
  if (name == #full || name == #alias) return make_##full<T>(name, columns, target_columns);
#include "metrics/metrics.def"
#undef METRIC
  std::string known;
  for (const std::string& one : metric_names()) known += (known.empty() ? "" : ", ") + one;
  LF_FAIL("[metric] unknown metric '" << name << "'; known: " << known);
}

template class Metric<float>;
template class Metric<double>;
template std::unique_ptr<Metric<float>> make_metric(const std::string&, index, index);
template std::unique_ptr<Metric<double>> make_metric(const std::string&, index, index);

}  // namespace lstmfast::metrics
