#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// The mean of values that are given as predictions, without targets. A row counts by its weight,
// however long it is.
template <class T>
class Mean final : public Metric<T> {
 public:
  void suit(const MetricUse& use) override {
    LF_CHECK(use.target_columns == 0,
             "[" << use.name
                 << "] is the mean of values, without targets; expected a metric of "
                    "targets and predictions");
  }
  bool weighs_elements() const override { return true; }

  void accumulate(const MetricBatch<T>& batch) override {
    double total = 0, count = 0;
    for (index r = 0; r < batch.rows; ++r) {
      const double of_row = batch.weights ? static_cast<double>(batch.weights[r]) : 1;
      if (of_row == 0) continue;
      for (index j = 0; j < batch.columns; ++j) {
        double weight = of_row;
        if (batch.element_weights != nullptr) weight = batch.element_weights[r * batch.columns + j];
        if (weight == 0) continue;
        total += weight * batch.prediction[r * batch.prediction_stride + j];
        count += weight;
      }
    }
    const double columns = static_cast<double>(batch.columns);
    if (columns > 0) this->add(total / columns, count / columns);
  }
};

}  // namespace

Component mean() { return Family::of<Mean>(); }

}  // namespace lstmfast::metrics
