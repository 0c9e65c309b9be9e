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
  MeanError(const std::string& written, Kernel kernel, bool root)
      : Metric<T>(written), kernel_(kernel), root_(root) {}

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
std::unique_ptr<Metric<T>> make_error(const std::string& written, index columns,
                                      index target_columns, typename MeanError<T>::Kernel kernel,
                                      bool root) {
  check_columns(written, columns, target_columns);
  return std::make_unique<MeanError<T>>(written, kernel, root);
}

}  // namespace

template <class T>
std::unique_ptr<Metric<T>> make_mean_squared_error(const std::string& written, index columns,
                                                   index target_columns) {
  return make_error<T>(written, columns, target_columns, &kernels::Table<T>::squared_error, false);
}
LF_METRIC_INSTANTIATE(mean_squared_error)

template <class T>
std::unique_ptr<Metric<T>> make_root_mean_squared_error(const std::string& written, index columns,
                                                        index target_columns) {
  return make_error<T>(written, columns, target_columns, &kernels::Table<T>::squared_error, true);
}
LF_METRIC_INSTANTIATE(root_mean_squared_error)

template <class T>
std::unique_ptr<Metric<T>> make_mean_absolute_error(const std::string& written, index columns,
                                                    index target_columns) {
  return make_error<T>(written, columns, target_columns, &kernels::Table<T>::absolute_error, false);
}
LF_METRIC_INSTANTIATE(mean_absolute_error)

}  // namespace lstmfast::metrics
