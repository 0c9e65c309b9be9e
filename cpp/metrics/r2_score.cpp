// The coefficient of determination of each column, and means of these.
#include <cmath>
#include <string>
#include <vector>

#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

constexpr char kByVariance[] = "variance_weighted_average", kEach[] = "none";

// 1 - (sum of (t - p)^2) / (sum of (t - mean of t)^2) by weights; 0 where that is infinite.
// Adjusted for P regressors: 1 - (1 - R2) (n - 1) / (n - P - 1), of n values. Rows are summed one
// after the other, so that batches do not change the bits.
template <class T>
class R2Score final : public MetricWith<T, R2Score<T>> {
 public:
  explicit R2Score(const base::Values& options)
      : each_(options["class_aggregation"].text() == kEach),
        by_variance_(options["class_aggregation"].text() == kByVariance),
        regressors_(static_cast<double>(options["num_regressors"].integer())) {}

  void suit(const MetricUse& use) override {
    Metric<T>::suit(use);
    const auto columns = static_cast<std::size_t>(use.columns);
    LF_CHECK(values_ == 0 || columns == columns_.size(), "[" << use.name << "] prediction has "
                                                             << columns << " columns; expected "
                                                             << columns_.size() << ", as before");
    columns_.resize(columns);
  }
  bool weighs_elements() const override { return true; }
  index size() const override { return each_ ? static_cast<index>(columns_.size()) : 1; }

  void reset() override {
    columns_.assign(columns_.size(), {});
    values_ = 0;
  }

  void accumulate(const MetricBatch<T>& batch) override {
    for (index r = 0; r < batch.rows; ++r) {
      const T of_row = batch.weights != nullptr ? batch.weights[r] : T(1);
      const T* const weights =
          batch.element_weights != nullptr ? batch.element_weights + r * batch.columns : nullptr;
      for (index c = 0; c < batch.columns; ++c) {
        const T weight = weights != nullptr ? weights[c] : of_row;
        if (weight == 0) continue;
        columns_[static_cast<std::size_t>(c)].add(
            static_cast<double>(weight),
            static_cast<double>(batch.target[r * batch.target_stride + c]),
            static_cast<double>(batch.prediction[r * batch.prediction_stride + c]));
        values_ += 1;
      }
    }
  }

  void results(double* values) const override {
    double sum = 0, weights = 0;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const double score = columns_[c].score();
      if (each_) values[c] = adjusted(score);
      const double weight = by_variance_ ? columns_[c].variance() : 1.0;
      sum += weight * score;
      weights += weight;
    }
    if (!each_) *values = values_ > 0 ? adjusted(sum / weights) : 0.0;
  }

 private:
  struct Column {
    double first = 0;  // target: sums are of differences from it, which lose fewer digits
    double weights = 0, sum = 0, squares = 0, residuals = 0;

    void add(double weight, double target, double prediction) {
      if (weights == 0) first = target;
      const double from_first = target - first, error = target - prediction;
      weights += weight;
      sum += weight * from_first;
      squares += weight * from_first * from_first;
      residuals += weight * error * error;
    }
    double variance() const { return weights > 0 ? squares - sum * sum / weights : 0.0; }
    double score() const {
      if (weights == 0) return 0.0;
      const double score = 1 - residuals / variance();
      return std::isinf(score) ? 0.0 : score;
    }
  };

  double adjusted(double score) const {
    if (regressors_ == 0 || regressors_ >= values_ - 1) return score;
    return 1 - (1 - score) * (values_ - 1) / (values_ - regressors_ - 1);
  }

  bool each_, by_variance_;
  double regressors_;
  std::vector<Column> columns_;
  double values_ = 0;
};

}  // namespace

Component r2_score() {
  return Family::of<R2Score>(
      {{base::text("class_aggregation", "uniform_average", {"uniform_average", kByVariance, kEach}),
        base::integer("num_regressors", 0, 0)}});
}

}  // namespace lstmfast::metrics
