// What the losses share: the list, and the class of those that a kernel computes. Knows no
// particular loss.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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

// What the mean is over: elements of predictions or of targets, rows, or whole samples.
enum class Per { element, target, row, sample };

// How kernels compute a loss.
template <class T>
struct KernelUse {
  LossKernel<T> kernel;
  std::vector<T> parameters = {};  // of the kernel
  Per per = Per::element;
  LossKernel<T> fused = nullptr;  // takes the values before the activation `last`; null: none
  Activation last = Activation::linear;
  bool labels = false;  // the target is one label a row
};

template <class T>
class KernelLoss : public Loss<T> {
 public:
  KernelLoss(std::string name, const base::Values& options, KernelUse<T> use)
      : Loss<T>(std::move(name)), use_(std::move(use)), reduction_(options["reduction"].text()) {}

  bool of_elements() const override { return use_.per == Per::element; }
  bool of_samples() const override { return use_.per == Per::sample; }
  bool takes_labels() const override { return use_.labels; }
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
    return reduced(use_.kernel, alone);
  }
  bool fuses(Activation last) const override { return use_.fused != nullptr && last == use_.last; }
  double value_fused(const LossBatch<T>& batch) const override {
    return reduced(use_.fused, batch);
  }

 private:
  // Checks labels at every call: one out of range would lead outside of its row.
  double reduced(LossKernel<T> kernel, const LossBatch<T>& batch) const {
    check_targets(batch.rows, batch.columns, batch.target, batch.target_stride);
    if (batch.rows * batch.columns <= 0) return 0;
    kernels::LossRows<T> rows = batch;
    rows.labels = use_.labels;
    rows.parameters = use_.parameters.data();
    const index samples = batch.prediction_shape.samples;
    rows.steps = of_samples() && samples > 0 ? batch.rows / samples : 1;
    const double divisor = divisor_of(batch, rows.steps);
    rows.scale = static_cast<T>(1.0 / divisor);
    return ops::loss_total(kernels::table<T>().*kernel, rows) / divisor;
  }

  // At least 1: where no row counts, all weights are 0.
  double divisor_of(const LossBatch<T>& batch, index steps) const {
    double of_row = 1;
    if (use_.per == Per::element) of_row = static_cast<double>(batch.columns);
    if (use_.per == Per::target) of_row = static_cast<double>(this->target_columns(batch.columns));
    if (reduction_ == "sum") return of_row * static_cast<double>(steps);
    if (reduction_ == "mean_with_sample_weight" && batch.weights != nullptr) {
      const double sum = ops::sum(batch.rows, batch.weights);
      return sum != 0 ? of_row * sum : of_row;
    }
    const index counted = batch.counted < 0 ? batch.rows : batch.counted;
    return of_row * static_cast<double>(std::max<index>(1, counted));
  }

  KernelUse<T> use_;
  std::string reduction_;
};

// The component of a KernelLoss: its options, and the one that all of them have.
template <template <class> class C>
Component kernel_loss(std::vector<base::Option> options = {}) {
  options.push_back(
      base::text("reduction", "sum_over_batch_size",
                 {"sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", kNoReduction}));
  return Family::of<C>({std::move(options)});
}

}  // namespace lstmfast::losses
