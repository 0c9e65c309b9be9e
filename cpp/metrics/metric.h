// A metric: a number gathered over the batches of an epoch. Knows no training.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/batch_shape.h"
#include "base/plain.h"

namespace lstmfast::metrics {

// One batch of activated predictions. Rows are samples, or samples times steps.
template <class T>
struct MetricBatch {
  index rows, columns;
  const T* prediction;  // [rows][columns]
  index prediction_stride;
  const T* target;  // [rows][target columns, as given to make_metric]
  index target_stride;
  // [rows] of a row's part in sum and count; null: 1. A custom metric knows none.
  const T* weights = nullptr;
  // the same as its owner shapes it: for custom metrics alone
  base::BatchShape prediction_shape = {}, target_shape = {};
};

template <class T>
class Metric {
 public:
  explicit Metric(std::string name) : name_(std::move(name)) {}
  virtual ~Metric() = default;

  const std::string& name() const { return name_; }  // as the user wrote it; the key in the logs

  // Does it run code that is not ours? accumulate() then finds the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  virtual void reset() { total_ = 0, count_ = 0; }
  virtual void accumulate(const MetricBatch<T>& batch) = 0;
  virtual double result() const;  // mean since reset(); 0 when nothing came

 protected:
  void add(double total, double count) { total_ += total, count_ += count; }

 private:
  std::string name_;
  double total_ = 0, count_ = 0;
};

// The metric of that name for predictions of `columns` and targets of `target_columns` values a row
// (1 also where the target lacks the axis). "accuracy" and "acc" choose as Keras does: one column:
// binary (threshold 0.5); one target value for several columns: sparse categorical; else
// categorical. Throws std::invalid_argument listing the known names.
template <class T>
std::unique_ptr<Metric<T>> make_metric(const std::string& name, index columns,
                                       index target_columns);

// Names without their aliases, in the order of metrics.def.
std::vector<std::string> metric_names();

}  // namespace lstmfast::metrics
