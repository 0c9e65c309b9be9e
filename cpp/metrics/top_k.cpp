// The share of rows whose class is among the k greatest predictions.
#include <algorithm>

#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

constexpr index kNone = -1;

template <class T>
index class_of_label(T label, index columns) {
  return label >= 0 && label < static_cast<T>(columns) ? static_cast<index>(label) : kNone;
}

// Of the first greatest, past NaN.
template <class T>
index class_of_row(const T* row, index columns) {
  index best = kNone;
  for (index j = 0; j < columns; ++j) {
    if (row[j] == row[j] && (best == kNone || row[j] > row[best])) best = j;
  }
  return best;
}

// A class is among the k where fewer than k predictions are greater; so all count that equal the
// last of them. NaN counts as greater than any number.
template <class T, bool labels>
class TopK final : public MetricWith<T, TopK<T, labels>> {
 public:
  explicit TopK(const base::Values& options) : k_(options["k"].integer()) {
    if constexpr (labels) sorted_ids_ = options["from_sorted_ids"].flag();
  }

  void suit(const MetricUse& use) override {
    if constexpr (labels) {
      check_labels(use);
    } else {
      Metric<T>::suit(use);
    }
  }

  void accumulate(const MetricBatch<T>& batch) override {
    double total = 0;
    for_rows(batch, [&](index, const T* p, const T* t, double weight) {
      if (hits(p, t, batch.columns)) total += weight;
    });
    this->add(total, counted(batch));
  }

 private:
  bool hits(const T* p, const T* t, index columns) const {
    if (sorted_ids_) return std::count(p, p + std::min(k_, columns), *t) > 0;
    const index target = labels ? class_of_label(*t, columns) : class_of_row(t, columns);
    if (target == kNone || p[target] != p[target]) return false;
    return std::count_if(p, p + columns, [&](T other) { return !(other <= p[target]); }) < k_;
  }

  index k_;
  bool sorted_ids_ = false;  // the predictions are classes, the likeliest first
};

template <class T>
using Dense = TopK<T, false>;
template <class T>
using Sparse = TopK<T, true>;

base::Option k() { return base::integer("k", 5, 1); }

}  // namespace

Component top_k_categorical_accuracy() { return Family::of<Dense>({{k()}}); }
Component sparse_top_k_categorical_accuracy() {
  return Family::of<Sparse>({{k(), base::flag("from_sorted_ids", false)}});
}

}  // namespace lstmfast::metrics
