// What the losses share: the list, and calls of kernels for a batch. Knows no particular loss.
#pragma once

#include <algorithm>

#include "kernels/table.h"
#include "losses/loss.h"
#include "ops/vector.h"

namespace lstmfast::losses {

using Family = base::Registry<Loss>;
using Component = Family::Component;

#define LOSS(kind, alias) Component kind();
#include "losses/losses.def"
#undef LOSS

template <class T>
using LossKernel = void (*)(const kernels::LossRows<T>&);

// The mean over rows, of which each counts as `of_row` items, and its gradient. labels: the target
// is one label a row.
template <class T>
double mean_loss(LossKernel<T> kernel, const LossBatch<T>& batch, index of_row, T parameter = 0,
                 bool labels = false) {
  if (batch.rows * of_row <= 0) return 0;
  // at least 1: where no row counts, all weights are 0
  const index count = std::max<index>(1, batch.counted < 0 ? batch.rows : batch.counted) * of_row;
  kernels::LossRows<T> rows{};
  rows.rows = batch.rows;
  rows.columns = batch.columns;
  rows.prediction = batch.prediction;
  rows.prediction_stride = batch.prediction_stride;
  rows.target = batch.target;
  rows.target_stride = batch.target_stride;
  rows.labels = labels;
  rows.weights = batch.weights;
  rows.parameter = parameter;
  rows.scale = static_cast<T>(1.0 / static_cast<double>(count));
  rows.gradient = batch.gradient;
  rows.gradient_stride = batch.gradient_stride;
  rows.output = batch.output;
  rows.output_stride = batch.output_stride;
  return ops::loss_total(kernel, rows) / static_cast<double>(count);
}

// Only value_fused() has an activated prediction to write.
template <class T>
LossBatch<T> without_output(LossBatch<T> batch) {
  batch.output = nullptr;
  return batch;
}

}  // namespace lstmfast::losses
