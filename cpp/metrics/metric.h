// A metric: a number gathered over the batches of an epoch. Knows no training.
#pragma once

#include <memory>
#include <string>

#include "base/batch_shape.h"
#include "base/registry.h"
#include "kernels/vector_args.h"

namespace lstmfast::metrics {

// One batch of activated predictions (kernels/vector_args.h): rows are samples, or samples times
// steps; a row of the target has as many values as were given to make_metric(). The weights are
// factors of a row in sum and count; a custom metric has none.
template <class T>
struct MetricBatch : kernels::LossRows<T> {
  MetricBatch() : kernels::LossRows<T>{} {}

  // the caller's shapes: for custom metrics only
  base::BatchShape prediction_shape, target_shape;
};

template <class T>
class Metric {
 public:
  virtual ~Metric() = default;

  // Whether accumulate() runs code of the caller's, with the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  virtual void reset() { total_ = 0, count_ = 0; }
  virtual void accumulate(const MetricBatch<T>& batch) = 0;
  // The mean since reset(); 0 without a batch.
  virtual double result() const { return count_ > 0 ? total_ / count_ : 0.0; }

 protected:
  void add(double total, double count) { total_ += total, count_ += count; }

 private:
  double total_ = 0, count_ = 0;
};

// What a metric is made for: predictions of `columns` and targets of `target_columns` values a row
// (1 also where the target lacks the axis).
struct MetricUse {
  std::string name;  // as the user wrote it
  index columns, target_columns;
};

// All of metrics.def. "accuracy" chooses as Keras does: one column: binary (threshold 0.5); one
// target value for several columns: sparse categorical; else categorical.
const base::Registry<Metric, const MetricUse&>& registry();

template <class T>
std::unique_ptr<Metric<T>> make_metric(const std::string& name, index columns,
                                       index target_columns) {
  return registry().make<T>(name, base::Options(), MetricUse{name, columns, target_columns});
}

}  // namespace lstmfast::metrics
