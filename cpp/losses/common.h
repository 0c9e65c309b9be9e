// What the losses share: the list, and the class of those that a kernel computes. Knows no
// particular loss.
#pragma once

#include <algorithm>
#include <utility>

#include "base/check.h"
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
using LossKernel = void (*kernels::Table<T>::*)(const kernels::LossRows<T>&);

// How kernels compute a loss.
template <class T>
struct KernelUse {
  LossKernel<T> kernel;
  T parameter = 0;                // of the kernel
  LossKernel<T> fused = nullptr;  // takes the values before the activation `last`; null: none
  Activation last = Activation::linear;
  bool of_rows = false;  // the mean is over rows; else over all elements
  bool labels = false;   // the target is one label a row
};

template <class T>
class KernelLoss : public Loss<T> {
 public:
  KernelLoss(std::string name, const KernelUse<T>& use) : Loss<T>(std::move(name)), use_(use) {}

  index target_columns(index columns) const override { return use_.labels ? 1 : columns; }

  void check_targets(index rows, index columns, const T* target,
                     index target_stride) const override {
    if (!use_.labels) return;
    for (index r = 0; r < rows; ++r) {
      const T label = target[r * target_stride];
      // the comparisons refuse NaN too, and precede the conversion, which is undefined out of range
      const bool known = label >= 0 && label < static_cast<T>(columns) &&
                         static_cast<T>(static_cast<index>(label)) == label;
      LF_CHECK(known, "[" << this->name() << "] target of row " << r << " is " << label
                          << "; expected a whole number of 0 .. " << columns - 1);
    }
  }

  double value(const LossBatch<T>& batch) const override {
    LossBatch<T> alone = batch;
    alone.output = nullptr;
    return mean(use_.kernel, alone);
  }
  bool fuses(Activation last) const override { return use_.fused != nullptr && last == use_.last; }
  double value_fused(const LossBatch<T>& batch) const override { return mean(use_.fused, batch); }

 private:
  // Checks labels at every call: one out of range would lead outside of its row.
  double mean(LossKernel<T> kernel, const LossBatch<T>& batch) const {
    check_targets(batch.rows, batch.columns, batch.target, batch.target_stride);
    const index of_row = use_.of_rows ? 1 : batch.columns;
    if (batch.rows * of_row <= 0) return 0;
    // at least 1: where no row counts, all weights are 0
    const index count = std::max<index>(1, batch.counted < 0 ? batch.rows : batch.counted) * of_row;
    kernels::LossRows<T> rows = batch;
    rows.labels = use_.labels;
    rows.parameter = use_.parameter;
    rows.scale = static_cast<T>(1.0 / static_cast<double>(count));
    return ops::loss_total(kernels::table<T>().*kernel, rows) / static_cast<double>(count);
  }

  KernelUse<T> use_;
};

}  // namespace lstmfast::losses
