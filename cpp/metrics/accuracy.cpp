#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// The share of elements (binary) or rows (categorical) that match; see MatchKind.
template <class T>
class Accuracy final : public Metric<T> {
 public:
  Accuracy(const std::string& written, kernels::MatchKind kind) : Metric<T>(written), kind_(kind) {}

  void accumulate(const MetricBatch<T>& batch) override {
    const double total = ops::match_total<T>({kind_, batch.rows, batch.columns, batch.prediction,
                                              batch.prediction_stride, batch.target,
                                              batch.target_stride, T(0.5), batch.weights, nullptr});
    const index items = kind_ == kernels::MatchKind::binary ? batch.columns : 1;
    this->add(total, counted(batch) * static_cast<double>(items));
  }

 private:
  kernels::MatchKind kind_;
};

}  // namespace

template <class T>
std::unique_ptr<Metric<T>> make_binary_accuracy(const std::string& written, index columns,
                                                index target_columns) {
  check_columns(written, columns, target_columns);
  return std::make_unique<Accuracy<T>>(written, kernels::MatchKind::binary);
}
LF_METRIC_INSTANTIATE(binary_accuracy)

template <class T>
std::unique_ptr<Metric<T>> make_categorical_accuracy(const std::string& written, index columns,
                                                     index target_columns) {
  check_columns(written, columns, target_columns);
  return std::make_unique<Accuracy<T>>(written, kernels::MatchKind::dense);
}
LF_METRIC_INSTANTIATE(categorical_accuracy)

template <class T>
std::unique_ptr<Metric<T>> make_sparse_categorical_accuracy(const std::string& written, index,
                                                            index target_columns) {
  LF_CHECK(target_columns == 1, "[" << written << "] target has " << target_columns
                                    << " values a row; expected 1, a label");
  return std::make_unique<Accuracy<T>>(written, kernels::MatchKind::labels);
}
LF_METRIC_INSTANTIATE(sparse_categorical_accuracy)

// Keras's choice by shape.
template <class T>
std::unique_ptr<Metric<T>> make_accuracy(const std::string& written, index columns,
                                         index target_columns) {
  if (columns == 1) return make_binary_accuracy<T>(written, columns, target_columns);
  if (target_columns == 1)
    return make_sparse_categorical_accuracy<T>(written, columns, target_columns);
  return make_categorical_accuracy<T>(written, columns, target_columns);
}
LF_METRIC_INSTANTIATE(accuracy)

}  // namespace lstmfast::metrics
