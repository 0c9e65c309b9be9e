// A loss: its value over a batch and the gradient for the prediction. Knows kernels through ops, no
// layers, no training.
//
// Rows are samples, or samples times steps for sequences; columns are the prediction's last axis.
// Every value is the mean over rows (and over columns, where the loss means over the last axis), as
// in Keras's "sum_over_batch_size". Rows of weight 0 are skipped, whatever they hold; a custom
// loss has no weights.
#pragma once

#include <vector>

#include "base/batch_shape.h"
#include "base/plain.h"
#include "base/registry.h"

namespace lstmfast::losses {

// target_columns() of a loss that takes targets of any shape.
constexpr index kAnyColumns = -1;

// One batch. Rows may be longer than `columns`; elements after these are neither read nor written.
template <class T>
struct LossBatch {
  index rows = 0, columns = 0;
  // [rows][columns]; to value_fused(): the values before the last activation
  const T* prediction = nullptr;
  index prediction_stride = 0;
  // [rows][target_columns(columns)]
  const T* target = nullptr;
  index target_stride = 0;
  // [rows] factors of the rows; null: 1. The mean is over `counted` rows; -1: over all.
  const T* weights = nullptr;
  index counted = -1;
  // [rows][columns] out: d value / d prediction; not prediction; null: not wanted
  T* gradient = nullptr;
  index gradient_stride = 0;
  // [rows][columns] out, by value_fused() alone: the activated prediction; may be prediction; null:
  // not wanted
  T* output = nullptr;
  index output_stride = 0;
  // the caller's shapes: for custom losses only
  base::BatchShape prediction_shape, target_shape;
};

template <class T>
class Loss {
 public:
  virtual ~Loss() = default;

  virtual const char* name() const = 0;

  // Values of a target row for predictions of `columns` values: `columns`, or 1 where the target is
  // a label; kAnyColumns where a target may have any shape.
  virtual index target_columns(index columns) const { return columns; }

  // Throws std::invalid_argument unless a target of this shape suits a prediction of that shape.
  // Both begin with the batch. The target may lack the prediction's last axis where that axis has
  // one value or the target is a label.
  virtual void check_shapes(const std::vector<index>& prediction,
                            const std::vector<index>& target) const;

  // Throws std::invalid_argument naming the row of the first value that no target may have (labels:
  // not a whole number of 0 .. columns - 1). Called once before training, for errors that name the
  // row; value() is safe without it.
  virtual void check_targets(index rows, index columns, const T* target, index target_stride) const;

  // Mean loss of the batch; 0 for no rows.
  virtual double value(const LossBatch<T>& batch) const = 0;

  // Whether value() runs code of the caller's, with the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  // Whether value_fused() replaces `last` followed by value(): it is exact where these lose digits
  // or saturate.
  virtual bool fuses(Activation last) const;
  virtual double value_fused(Activation last, const LossBatch<T>& batch) const;
};

// All of losses.def.
const base::Registry<Loss>& registry();

}  // namespace lstmfast::losses
