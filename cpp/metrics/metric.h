// A metric: one number or several, gathered over the batches of an epoch. Knows no training.
#pragma once

#include <memory>
#include <string>

#include "base/batch_shape.h"
#include "base/registry.h"
#include "kernels/vector_args.h"

namespace lstmfast::metrics {

// One batch of activated predictions (kernels/vector_args.h): rows are samples, or samples times
// steps; a row of the target has as many values as suit() was given. The weights are factors of a
// row in sum and count.
template <class T>
struct MetricBatch : kernels::LossRows<T> {
  MetricBatch() : kernels::LossRows<T>{} {}

  // (rows, columns) factors of elements in place of `weights`, for metrics that weigh_elements();
  // then prediction and target are contiguous. Null: none.
  const T* element_weights = nullptr;
  // the caller's shapes: for custom metrics only
  base::BatchShape prediction_shape, target_shape;
};

// Predictions of `columns` and targets of `target_columns` values a row (1 also where the target
// lacks the axis, kNoTarget where there is none).
constexpr index kNoTarget = -1;
struct MetricUse {
  std::string name;  // of the metric, in errors
  index columns, target_columns;
};

template <class T>
class Metric {
 public:
  virtual ~Metric() = default;

  // A copy: of one that has gathered nothing, a new one for a call.
  virtual std::unique_ptr<Metric<T>> copy() const = 0;

  // Whether accumulate() runs code of the caller's, with the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  // Called before the first batch, and again before batches whose rows have other sizes; what was
  // gathered stays. Throws std::invalid_argument unless the metric suits such rows: targets like
  // predictions, by default.
  virtual void suit(const MetricUse& use);
  virtual bool weighs_elements() const { return false; }

  virtual void reset() { total_ = 0, count_ = 0; }
  virtual void accumulate(const MetricBatch<T>& batch) = 0;

  // The number of values, fixed by suit().
  virtual index size() const { return 1; }
  // values (size()): those since reset().
  virtual void results(double* values) const { *values = result(); }

 protected:
  // The mean since reset(); 0 without a batch.
  virtual double result() const { return count_ > 0 ? total_ / count_ : 0.0; }
  void add(double total, double count) { total_ += total, count_ += count; }

 private:
  double total_ = 0, count_ = 0;
};

// Makes copies of the class Self, which derives from this, and this from Base.
template <class T, class Self, class Base = Metric<T>>
class MetricWith : public Base {
 public:
  using Base::Base;
  std::unique_ptr<Metric<T>> copy() const override {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
};

// All of metrics.def.
const base::Registry<Metric>& registry();

}  // namespace lstmfast::metrics
