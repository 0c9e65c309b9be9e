#include <cmath>

#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// The mean over all elements since reset() of what a loss kernel sums, or the root of that mean.
template <class T>
class MeanError final : public Metric<T> {
 public:
  using Kernel = void (*kernels::Table<T>::*)(const kernels::LossRows<T>&);
  MeanError(const std::string& name, Kernel kernel, bool root)
      : Metric<T>(name), kernel_(kernel), root_(root) {}

  void accumulate(const MetricBatch<T>& batch) override {
    kernels::LossRows<T> rows{};
    rows.rows = batch.rows;
    rows.columns = batch.columns;
    rows.prediction = batch.prediction;
    rows.prediction_stride = batch.prediction_stride;
    rows.target = batch.target;
    rows.target_stride = batch.target_stride;
    rows.weights = batch.weights;
    this->add(ops::loss_total(kernels::table<T>().*kernel_, rows),
              counted(batch) * static_cast<double>(batch.columns));
  }
  double result() const override {
    const double mean = Metric<T>::result();
    return root_ ? std::sqrt(mean) : mean;
  }

 private:
  Kernel kernel_;
  bool root_;
};

template <class T>
std::unique_ptr<Metric<T>> make_error(const MetricUse& use, typename MeanError<T>::Kernel kernel,
                                      bool root) {
  check_columns(use);
  return std::make_unique<MeanError<T>>(use.name, kernel, root);
}

template <class T>
std::unique_ptr<Metric<T>> make_squared(const base::Values&, const MetricUse& use) {
  return make_error<T>(use, &kernels::Table<T>::squared_error, false);
}

template <class T>
std::unique_ptr<Metric<T>> make_root(const base::Values&, const MetricUse& use) {
  return make_error<T>(use, &kernels::Table<T>::squared_error, true);
}

template <class T>
std::unique_ptr<Metric<T>> make_absolute(const base::Values&, const MetricUse& use) {
  return make_error<T>(use, &kernels::Table<T>::absolute_error, false);
}

}  // namespace

Component mean_squared_error() { return {{}, make_squared<float>, make_squared<double>}; }
Component root_mean_squared_error() { return {{}, make_root<float>, make_root<double>}; }
Component mean_absolute_error() { return {{}, make_absolute<float>, make_absolute<double>}; }

}  // namespace lstmfast::metrics
