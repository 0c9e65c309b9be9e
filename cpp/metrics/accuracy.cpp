#include "kernels/table.h"
#include "metrics/common.h"

namespace lstmfast::metrics {
namespace {

using kernels::MatchKind;

// The share of elements (binary) or rows (categorical) that match; see MatchKind.
template <class T>
class MatchShare : public Metric<T> {
 public:
  explicit MatchShare(MatchKind kind, double threshold = 0)
      : kind_(kind), threshold_(static_cast<T>(threshold)) {}

  bool weighs_elements() const override { return kind_ == MatchKind::binary; }
  void suit(const MetricUse& use) override {
    if (kind_ != MatchKind::labels) return Metric<T>::suit(use);
    check_labels(use);
  }

  void accumulate(const MetricBatch<T>& given) override {
    const MetricBatch<T> batch = with_element_rows(given);
    const double total = ops::match_total<T>(
        {kind_, batch.rows, batch.columns, batch.prediction, batch.prediction_stride, batch.target,
         batch.target_stride, threshold_, batch.weights, nullptr});
    const index items = kind_ == MatchKind::binary ? batch.columns : 1;
    this->add(total, counted(batch) * static_cast<double>(items));
  }

 protected:
  MatchKind kind_;

 private:
  T threshold_;
};

// Keras's choice by shapes. One column: binary (threshold 0.5); one target value for several
// columns: sparse categorical; else categorical.
template <class T>
struct Chosen final : MetricWith<T, Chosen<T>, MatchShare<T>> {
  Chosen() : MetricWith<T, Chosen<T>, MatchShare<T>>(MatchKind::binary, 0.5) {}
  void suit(const MetricUse& use) override {
    const MatchKind of_several = use.target_columns == 1 ? MatchKind::labels : MatchKind::dense;
    this->kind_ = use.columns == 1 ? MatchKind::binary : of_several;
    MatchShare<T>::suit(use);
  }
};

template <class T>
struct Binary final : MetricWith<T, Binary<T>, MatchShare<T>> {
  explicit Binary(const base::Values& options)
      : MetricWith<T, Binary<T>, MatchShare<T>>(MatchKind::binary, options["threshold"].number()) {}
};

template <class T>
struct Categorical final : MetricWith<T, Categorical<T>, MatchShare<T>> {
  Categorical() : MetricWith<T, Categorical<T>, MatchShare<T>>(MatchKind::dense) {}
};

template <class T>
struct SparseCategorical final : MetricWith<T, SparseCategorical<T>, MatchShare<T>> {
  SparseCategorical() : MetricWith<T, SparseCategorical<T>, MatchShare<T>>(MatchKind::labels) {}
};

// The share of elements that equal their targets.
template <class T>
class Equality final : public MetricWith<T, Equality<T>> {
 public:
  bool weighs_elements() const override { return true; }
  void accumulate(const MetricBatch<T>& given) override {
    const MetricBatch<T> batch = with_element_rows(given);
    double total = 0;
    for_rows(batch, [&](index, const T* p, const T* t, double weight) {
      for (index j = 0; j < batch.columns; ++j) total += p[j] == t[j] ? weight : 0;
    });
    this->add(total, counted(batch) * static_cast<double>(batch.columns));
  }
};

}  // namespace

Component equality() { return Family::of<Equality>(); }
Component accuracy() { return Family::of<Chosen>(); }
Component binary_accuracy() { return Family::of<Binary>({{base::number("threshold", 0.5)}}); }
Component categorical_accuracy() { return Family::of<Categorical>(); }
Component sparse_categorical_accuracy() { return Family::of<SparseCategorical>(); }

}  // namespace lstmfast::metrics
