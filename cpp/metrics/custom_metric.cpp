#include "metrics/custom_metric.h"

#include <utility>

#include "base/check.h"

namespace lstmfast::metrics {
namespace {

template <class T>
class FunctionMetric final : public Metric<T> {
 public:
  FunctionMetric(const std::string& name, MetricFunctions<T> functions)
      : Metric<T>(name), functions_(std::move(functions)) {}

  bool foreign() const override { return true; }
  void reset() override {
    updated_ = false;
    functions_.reset();
  }
  void accumulate(const MetricBatch<T>& batch) override {
    functions_.update(batch);
    updated_ = true;
  }
  double result() const override { return updated_ ? functions_.result() : 0.0; }

 private:
  MetricFunctions<T> functions_;
  bool updated_ = false;
};

}  // namespace

template <class T>
std::unique_ptr<Metric<T>> make_custom(const std::string& name, MetricFunctions<T> functions) {
  LF_CHECK(functions.reset && functions.update && functions.result,
           "[" << name << "] the metric lacks a function; expected reset, update and result");
  auto metric = std::make_unique<FunctionMetric<T>>(name, std::move(functions));
  metric->reset();
  return metric;
}

template std::unique_ptr<Metric<float>> make_custom(const std::string&, MetricFunctions<float>);
template std::unique_ptr<Metric<double>> make_custom(const std::string&, MetricFunctions<double>);

}  // namespace lstmfast::metrics
