#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// The mean of values that are given as predictions, without targets. A row counts by its weight,
// however long it is.
template <class T>
class Mean final : public MetricWith<T, Mean<T>> {
 public:
  void suit(const MetricUse& use) override {
    LF_CHECK(use.target_columns == kNoTarget,
             "[" << use.name
                 << "] is the mean of values, without targets; expected a metric of "
                    "targets and predictions");
  }
  bool weighs_elements() const override { return true; }

  void accumulate(const MetricBatch<T>& batch) override {
    double total = 0, count = 0;
    for_rows(batch, [&](index r, const T* values, const T*, double of_row) {
      for (index j = 0; j < batch.columns; ++j) {
        const double weight = weight_at(batch, r, j, of_row);
        if (weight == 0) continue;
        total += weight * static_cast<double>(values[j]);
        count += weight;
      }
    });
    const double columns = static_cast<double>(batch.columns);
    if (columns > 0) this->add(total / columns, count / columns);
  }
};

}  // namespace

Component mean() { return Family::of<Mean>(); }

}  // namespace lstmfast::metrics
