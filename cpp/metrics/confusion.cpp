#include "metrics/confusion.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "metrics/common.h"

namespace lstmfast::metrics {

bool are_even(const std::vector<double>& thresholds) {
  const double last = static_cast<double>(thresholds.size()) - 1;
  if (last < 2) return false;
  double i = 0;
  return std::all_of(thresholds.begin(), thresholds.end(), [&](double threshold) {
    const double even = i++ / last;
    return std::abs(threshold - even) <= 1e-7 + 1e-5 * even;  // Keras's tolerance
  });
}

template <class T>
Confusions<T>::Confusions(std::vector<double> thresholds, bool even)
    : sorted_(thresholds.begin(), thresholds.end()),
      places_(thresholds.size()),
      even_(even),
      read_(thresholds.size()) {
  std::vector<std::size_t> order(thresholds.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return thresholds[a] < thresholds[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) places_[order[i]] = i;
  std::sort(sorted_.begin(), sorted_.end());
  set_labels(1);
}

template <class T>
void Confusions<T>::set_labels(index labels) {
  labels_ = labels;
  sums_.assign(static_cast<std::size_t>(labels * (thresholds() + 1)), {});
}

template <class T>
void Confusions<T>::clear() {
  std::fill(sums_.begin(), sums_.end(), Pair());
}

template <class T>
index Confusions<T>::exceeded(T prediction) const {
  if (!even_) {
    return std::lower_bound(sorted_.begin(), sorted_.end(), prediction) - sorted_.begin();
  }
  if (!(prediction > 0)) return !std::isnan(prediction) && sorted_.front() < 0 ? 1 : 0;
  const T last = static_cast<T>(thresholds() - 1);
  return static_cast<index>(std::ceil(std::min(prediction, T(1)) * last));
}

template <class T>
const std::vector<Confusion>& Confusions<T>::of(index label) const {
  const Pair* const sums = &sums_[static_cast<std::size_t>(label * (thresholds() + 1))];
  Pair below, above;
  for (std::size_t i = 0; i < read_.size(); ++i) {
    below.positive += sums[i].positive, below.negative += sums[i].negative;
    read_[i].false_negatives = below.positive, read_[i].true_negatives = below.negative;
  }
  for (std::size_t i = read_.size(); i-- > 0;) {
    above.positive += sums[i + 1].positive, above.negative += sums[i + 1].negative;
    read_[i].true_positives = above.positive, read_[i].false_positives = above.negative;
  }
  return read_;
}

template class Confusions<float>;
template class Confusions<double>;

namespace {

using Score = double (*)(const Confusion&);

std::vector<double> thresholds_of(const base::Value& given, double fallback) {
  if (given.none()) return {fallback};
  if (given.kind() == base::Value::Kind::numbers) return given.numbers();
  return {given.number()};
}

// A function of the sums at each threshold. With `of_classes` only the top_k greatest elements of a
// row can be decided for, the first among equals, and only column class_id counts.
template <class T, Score score, bool of_classes>
class ConfusionScore final : public MetricWith<T, ConfusionScore<T, score, of_classes>> {
 public:
  explicit ConfusionScore(const base::Values& options) {
    if constexpr (of_classes) {
      if (!options["top_k"].none()) top_k_ = options["top_k"].integer();
      if (!options["class_id"].none()) class_id_ = options["class_id"].integer();
    }
    const double all_above = -1e10;  // Keras's
    std::vector<double> thresholds = thresholds_of(options["thresholds"], top_k_ ? all_above : 0.5);
    const bool even = are_even(thresholds);
    sums_ = {std::move(thresholds), even};
  }

  void suit(const MetricUse& use) override {
    Metric<T>::suit(use);
    LF_CHECK(class_id_ < use.columns, "[" << use.name << "] class_id is " << class_id_
                                          << "; expected below " << use.columns
                                          << ", the number of classes");
    if (top_k_ > 0) scratch_.resize(static_cast<std::size_t>(use.columns));
  }
  bool weighs_elements() const override { return true; }
  index size() const override { return sums_.thresholds(); }
  void reset() override { sums_.clear(); }

  void accumulate(const MetricBatch<T>& batch) override {
    for_rows(batch, [&](index r, const T* p, const T* t, double of_row) {
      Top top = top_of(p, batch.columns);
      for (index j = 0; j < batch.columns; ++j) {
        const bool decided = !of_classes || top_k_ == 0 || p[j] > top.least ||
                             (p[j] == top.least && top.equals-- > 0);
        if (class_id_ >= 0 && j != class_id_) continue;
        const double weight = weight_at(batch, r, j, of_row);
        sums_.add(0, decided ? sums_.exceeded(p[j]) : 0, t[j] != 0, weight);
      }
    });
  }

  void results(double* values) const override {
    const std::vector<Confusion>& sums = sums_.of(0);
    for (const std::size_t place : sums_.places()) *values++ = score(sums[place]);
  }

 private:
  struct Top {
    T least;       // elements above are among the top,
    index equals;  // and so many of those that equal it
  };
  Top top_of(const T* row, index columns) {
    const T lowest = -std::numeric_limits<T>::infinity();
    if (top_k_ == 0 || top_k_ >= columns) return {lowest, columns};
    std::transform(row, row + columns, scratch_.begin(),
                   [&](T p) { return std::isnan(p) ? lowest : p; });
    const auto last = scratch_.begin() + top_k_ - 1;
    std::nth_element(scratch_.begin(), last, scratch_.begin() + columns, std::greater<T>());
    const T least = *last;
    const auto above = std::count_if(row, row + columns, [&](T p) { return p > least; });
    return {least, top_k_ - static_cast<index>(above)};
  }

  index top_k_ = 0;      // 0: all
  index class_id_ = -1;  // -1: all
  Confusions<T> sums_;
  std::vector<T> scratch_;
};

template <double Confusion::* sum>
double one_sum(const Confusion& c) {
  return c.*sum;
}

template <class T>
using Precision = ConfusionScore<T, &precision_of, true>;
template <class T>
using Recall = ConfusionScore<T, &recall_of, true>;
template <class T>
using TruePositives = ConfusionScore<T, &one_sum<&Confusion::true_positives>, false>;
template <class T>
using FalsePositives = ConfusionScore<T, &one_sum<&Confusion::false_positives>, false>;
template <class T>
using TrueNegatives = ConfusionScore<T, &one_sum<&Confusion::true_negatives>, false>;
template <class T>
using FalseNegatives = ConfusionScore<T, &one_sum<&Confusion::false_negatives>, false>;

base::OptionTable thresholds() {
  base::Option out = base::numbers("thresholds", base::none(), base::from_to(0, 1));
  out.takes |= base::kNumber;
  return {{std::move(out)}};
}
base::OptionTable classes() {
  return {{base::integer("top_k", base::none(), 1), base::integer("class_id", base::none(), 0)}};
}

}  // namespace

Component true_positives() { return Family::of<TruePositives>(thresholds()); }
Component false_positives() { return Family::of<FalsePositives>(thresholds()); }
Component true_negatives() { return Family::of<TrueNegatives>(thresholds()); }
Component false_negatives() { return Family::of<FalseNegatives>(thresholds()); }
Component precision() { return Family::of<Precision>(thresholds() + classes()); }
Component recall() { return Family::of<Recall>(thresholds() + classes()); }

}  // namespace lstmfast::metrics
