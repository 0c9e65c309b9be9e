// The weighted harmonic mean of precision and recall.
#include <algorithm>
#include <cmath>
#include <vector>

#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

// Sums over the rows of one column, or of all.
struct Sums {
  double true_positives = 0, false_positives = 0, false_negatives = 0, positives = 0;

  void add(const Sums& more) {
    true_positives += more.true_positives;
    false_positives += more.false_positives;
    false_negatives += more.false_negatives;
    positives += more.positives;
  }
};

// Per column: (1 + b^2) P R / (b^2 P + R), each division with 1e-7 in its divisor, as in Keras. A
// prediction is positive where it is above the threshold; without one, where it is the greatest of
// its row and not 0.
template <class T>
class FScore : public Metric<T> {
 public:
  FScore(const base::Values& options, double beta) : beta_(beta) {
    if (!options["average"].none()) average_ = options["average"].text();
    has_threshold_ = !options["threshold"].none();
    if (has_threshold_) threshold_ = static_cast<T>(options["threshold"].number());
  }

  void suit(const MetricUse& use) override {
    Metric<T>::suit(use);
    const auto columns = static_cast<std::size_t>(use.columns);
    LF_CHECK(sums_.empty() || sums_.size() == columns, "[" << use.name << "] prediction has "
                                                           << columns << " values a row; expected "
                                                           << sums_.size() << ", as before");
    sums_.resize(columns);
  }
  index size() const override {
    return average_.empty() ? std::max<index>(1, static_cast<index>(sums_.size())) : 1;
  }
  void reset() override { std::fill(sums_.begin(), sums_.end(), Sums()); }

  void accumulate(const MetricBatch<T>& batch) override {
    for_rows(batch, [&](index, const T* p, const T* y, double weight) {
      const T greatest = *std::max_element(p, p + batch.columns);
      for (index j = 0; j < batch.columns; ++j) {
        const bool positive =
            has_threshold_ ? p[j] > threshold_ : p[j] >= greatest && std::abs(p[j]) > T(1e-9);
        const double hit = weight * static_cast<double>(y[j]);
        sums_[static_cast<std::size_t>(j)].add(
            {positive ? hit : 0, positive ? weight - hit : 0, positive ? 0 : hit, hit});
      }
    });
  }

  void results(double* values) const override {
    Sums all;
    for (const Sums& each : sums_) all.add(each);
    if (average_ == "micro") {
      *values = score(all);
      return;
    }
    const double columns = static_cast<double>(sums_.size());
    if (!average_.empty() || sums_.empty()) *values = 0;
    for (const Sums& each : sums_) {
      if (average_.empty()) {
        *values++ = score(each);
      } else {
        const double share =
            average_ == "macro" ? 1 / columns : each.positives / (all.positives + kEpsilon);
        *values += score(each) * share;
      }
    }
  }

 private:
  static constexpr double kEpsilon = 1e-7;

  double score(const Sums& s) const {
    const double precision = s.true_positives / (s.true_positives + s.false_positives + kEpsilon);
    const double recall = s.true_positives / (s.true_positives + s.false_negatives + kEpsilon);
    const double b = beta_ * beta_;
    return (1 + b) * (precision * recall / (b * precision + recall + kEpsilon));
  }

  std::string average_;  // "" : a value for each column
  double beta_;
  bool has_threshold_ = false;
  T threshold_ = 0;
  std::vector<Sums> sums_;  // by column
};

template <class T>
struct FBeta final : MetricWith<T, FBeta<T>, FScore<T>> {
  explicit FBeta(const base::Values& options)
      : MetricWith<T, FBeta<T>, FScore<T>>(options, options["beta"].number()) {}
};

template <class T>
struct F1 final : MetricWith<T, F1<T>, FScore<T>> {
  explicit F1(const base::Values& options) : MetricWith<T, F1<T>, FScore<T>>(options, 1) {}
};

base::OptionTable averaging() {
  base::Bounds share = base::from_to(0, 1);
  share.low_open = true;
  return {{base::text("average", base::none(), {"micro", "macro", "weighted"}),
           base::number("threshold", base::none(), share)}};
}

}  // namespace

Component f_beta_score() {
  return Family::of<FBeta>(averaging() +
                           base::OptionTable{{base::number("beta", 1.0, base::above(0))}});
}
Component f1_score() { return Family::of<F1>(averaging()); }

}  // namespace lstmfast::metrics
