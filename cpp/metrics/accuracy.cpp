#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// The share of elements (binary) or rows (categorical) that match; see MatchKind.
template <class T>
class Accuracy final : public Metric<T> {
 public:
  Accuracy(const std::string& name, kernels::MatchKind kind) : Metric<T>(name), kind_(kind) {}

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

template <class T>
std::unique_ptr<Metric<T>> make_binary(const base::Values&, const MetricUse& use) {
  check_columns(use);
  return std::make_unique<Accuracy<T>>(use.name, kernels::MatchKind::binary);
}

template <class T>
std::unique_ptr<Metric<T>> make_categorical(const base::Values&, const MetricUse& use) {
  check_columns(use);
  return std::make_unique<Accuracy<T>>(use.name, kernels::MatchKind::dense);
}

template <class T>
std::unique_ptr<Metric<T>> make_sparse(const base::Values&, const MetricUse& use) {
  LF_CHECK(use.target_columns == 1, "[" << use.name << "] target has " << use.target_columns
                                        << " values a row; expected 1, a label");
  return std::make_unique<Accuracy<T>>(use.name, kernels::MatchKind::labels);
}

// Keras's choice by shape.
template <class T>
std::unique_ptr<Metric<T>> make_any(const base::Values& options, const MetricUse& use) {
  if (use.columns == 1) return make_binary<T>(options, use);
  return use.target_columns == 1 ? make_sparse<T>(options, use) : make_categorical<T>(options, use);
}

}  // namespace

Component accuracy() { return {{}, make_any<float>, make_any<double>}; }
Component binary_accuracy() { return {{}, make_binary<float>, make_binary<double>}; }
Component categorical_accuracy() { return {{}, make_categorical<float>, make_categorical<double>}; }
Component sparse_categorical_accuracy() { return {{}, make_sparse<float>, make_sparse<double>}; }

}  // namespace lstmfast::metrics
