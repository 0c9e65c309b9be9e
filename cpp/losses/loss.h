// A loss: its value over a batch and the gradient for the prediction. Knows kernels through ops, no
// layers, no training.
//
// Rows are samples, or samples times steps for sequences; columns are the prediction's last axis.
// Every value is the mean over rows (and over columns, where the loss means over the last axis), as
// in Keras's "sum_over_batch_size". Rows of weight 0 have no part in it, whatever they hold; a
// custom loss knows no weights.
#pragma once

#include <vector>

#include "base/batch_shape.h"
#include "base/plain.h"
#include "base/registry.h"

namespace lstmfast::losses {

// target_columns() of a loss that leaves it to the targets.
constexpr index kAnyColumns = -1;

// One batch. Rows may be longer than `columns`; what lies behind `columns` is neither read nor
// written.
template <class T>
struct LossBatch {
  index rows = 0, columns = 0;
  // [rows][columns]; to value_fused(): the values before the last activation
  const T* prediction = nullptr;
  index prediction_stride = 0;
  // [rows][target_columns(columns)]
  const T* target = nullptr;
  index target_stride = 0;
  // [rows] of a row's part in the sum; null: 1. The mean is over `counted` rows, where it is given.
  const T* weights = nullptr;
  index counted = -1;
  // [rows][columns] out: d value / d prediction; not prediction; null: not wanted
  T* gradient = nullptr;
  index gradient_stride = 0;
  // [rows][columns] out, by value_fused() alone: the activated prediction; may be prediction; null:
  // not wanted
  T* output = nullptr;
  index output_stride = 0;
  // the same as its owner shapes it: for custom losses alone
  base::BatchShape prediction_shape, target_shape;
};

template <class T>
class Loss {
 public:
  virtual ~Loss() = default;

  virtual const char* name() const = 0;

  // Values of a target row for predictions of `columns` values: `columns`, or 1 where the target is
  // a label; kAnyColumns where any target may come.
  virtual index target_columns(index columns) const { return columns; }

  // Throws std::invalid_argument unless a target of this shape suits a prediction of that shape.
  // Both begin with the batch. The target may lack the prediction's last axis where that axis has
  // one value or the target is a label.
  virtual void check_shapes(const std::vector<index>& prediction,
                            const std::vector<index>& target) const;

  // Throws std::invalid_argument naming the row of the first value that no target may have (labels:
  // not a whole number of 0 .. columns - 1). Checks content once, ahead of training; value() relies
  // on it only for good messages.
  virtual void check_targets(index rows, index columns, const T* target, index target_stride) const;

  // Mean loss of the batch; 0 for no rows.
  virtual double value(const LossBatch<T>& batch) const = 0;

  // Does value() run code that is not ours? It then finds the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  // Does value_fused() take the place of `last` followed by value()? It is then exact where the two
  // in a row lose digits or saturate.
  virtual bool fuses(Activation last) const;
  virtual double value_fused(Activation last, const LossBatch<T>& batch) const;
};

// All of losses.def.
const base::Registry<Loss>& registry();

}  // namespace lstmfast::losses
