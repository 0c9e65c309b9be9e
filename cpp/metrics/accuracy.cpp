#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

using kernels::MatchKind;

// The share of elements (binary) or rows (categorical) that match; see MatchKind.
template <class T>
class Accuracy final : public Metric<T> {
 public:
  Accuracy(const MetricUse& use, MatchKind kind) : kind_(kind) {
    if (kind == MatchKind::labels) {
      LF_CHECK(use.target_columns == 1, "[" << use.name << "] target has " << use.target_columns
                                            << " values a row; expected 1, a label");
    } else {
      check_columns(use);
    }
  }

  void accumulate(const MetricBatch<T>& batch) override {
    const double total = ops::match_total<T>({kind_, batch.rows, batch.columns, batch.prediction,
                                              batch.prediction_stride, batch.target,
                                              batch.target_stride, T(0.5), batch.weights, nullptr});
    const index items = kind_ == MatchKind::binary ? batch.columns : 1;
    this->add(total, counted(batch) * static_cast<double>(items));
  }

 private:
  MatchKind kind_;
};

template <class T, MatchKind kind>
std::unique_ptr<Metric<T>> make(const base::Values&, const MetricUse& use) {
  return std::make_unique<Accuracy<T>>(use, kind);
}

// Keras's choice by shape.
template <class T>
std::unique_ptr<Metric<T>> make_any(const base::Values&, const MetricUse& use) {
  const MatchKind of_several = use.target_columns == 1 ? MatchKind::labels : MatchKind::dense;
  return std::make_unique<Accuracy<T>>(use, use.columns == 1 ? MatchKind::binary : of_several);
}

template <MatchKind kind>
Component component() {
  return {{}, make<float, kind>, make<double, kind>};
}

}  // namespace

Component accuracy() { return {{}, make_any<float>, make_any<double>}; }
Component binary_accuracy() { return component<MatchKind::binary>(); }
Component categorical_accuracy() { return component<MatchKind::dense>(); }
Component sparse_categorical_accuracy() { return component<MatchKind::labels>(); }

}  // namespace lstmfast::metrics
