// A loss: its value over a batch and the gradient for the prediction. Knows kernels through ops, no
// layers, no training.
//
// Rows are samples, or samples times steps for sequences; columns are the prediction's last axis.
// Every value is the mean over rows (and over columns, where the loss means over the last axis), as
// in Keras's "sum_over_batch_size", unless the loss has another reduction. Rows of weight 0 are
// skipped, whatever they hold. Not every custom loss has weights.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/batch_shape.h"
#include "base/registry.h"
#include "kernels/vector_args.h"

namespace lstmfast::losses {

// target_columns() of a loss that takes targets of any shape.
constexpr index kAnyColumns = -1;

// The reduction to nothing: for values() alone, training needs one value.
constexpr char kNoReduction[] = "none";

// One batch: what a kernel takes (kernels/vector_args.h), with the last activation still to be
// computed for value_fused(). Rows may be longer than `columns`; elements after these are neither
// read nor written. The gradient is d value / d prediction, in memory of its own. The loss itself
// sets labels, parameters, steps, scale and total.
template <class T>
struct LossBatch : kernels::LossRows<T> {
  LossBatch() : kernels::LossRows<T>{} {}

  index counted = -1;  // the mean is over so many rows; -1: over all
  // the caller's shapes: for custom losses, and for losses of whole samples
  base::BatchShape prediction_shape, target_shape;
};

template <class T>
class Loss {
 public:
  explicit Loss(std::string name) : name_(std::move(name)) {}
  virtual ~Loss() = default;

  const std::string& name() const { return name_; }

  // Values of a target row for predictions of `columns` values: `columns`, or 1 where the target is
  // a label; kAnyColumns where a target may have any shape. Throws std::invalid_argument for
  // predictions that the loss cannot take.
  virtual index target_columns(index columns) const { return columns; }
  virtual bool takes_labels() const { return false; }

  // Whether the mean is over elements, each a row of its own if need be.
  virtual bool of_elements() const { return false; }
  // Whether a value of its own is that of a sample, (batch, steps, channels), in place of a row.
  virtual bool of_samples() const { return false; }

  // Throws std::invalid_argument unless a target of this shape suits a prediction of that shape.
  // Both begin with the batch. The target may lack the last axis where it has one value there.
  virtual void check_shapes(const std::vector<index>& prediction,
                            const std::vector<index>& target) const;

  // Throws std::invalid_argument naming the row of the first value that no target may have (labels:
  // not a whole number of 0 .. columns - 1). Called once before training, for errors that name the
  // row; value() is safe without it.
  virtual void check_targets(index /*rows*/, index /*columns*/, const T* /*target*/,
                             index /*target_stride*/) const {}

  // Mean loss of the batch; 0 for no rows.
  virtual double value(const LossBatch<T>& batch) const = 0;

  // The loss of each row, or of each sample where of_samples(), without weights.
  void values(const LossBatch<T>& batch, T* out) const;

  // Whether the loss heeds weights of batches of these shapes.
  virtual bool weighs(const base::BatchShape& /*prediction*/,
                      const base::BatchShape& /*target*/) const {
    return true;
  }

  // Whether value() runs code of the caller's, with the caller's floating-point mode.
  virtual bool foreign() const { return false; }

  // Whether value_fused() replaces `last` followed by value(): it is exact where these lose digits
  // or saturate. It takes the values before `last`, and writes the activated ones to batch.output.
  virtual bool fuses(Activation /*last*/) const { return false; }
  virtual double value_fused(const LossBatch<T>& batch) const { return value(batch); }

 private:
  std::string name_;
};

// All of losses.def.
const base::Registry<Loss>& registry();

}  // namespace lstmfast::losses
