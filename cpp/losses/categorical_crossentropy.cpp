#include "base/check.h"
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean over rows of -sum of t log(p / sum of p), limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// softmax(x), no limit is needed. Sparse: the target is the label of the one column where t is 1.
template <class T>
class CategoricalCrossentropy : public Loss<T> {
 public:
  CategoricalCrossentropy(bool sparse, bool from_logits, double label_smoothing)
      : sparse_(sparse),
        from_logits_(from_logits),
        label_smoothing_(static_cast<T>(label_smoothing)) {}
  const char* name() const override {
    return sparse_ ? "sparse_categorical_crossentropy" : "categorical_crossentropy";
  }
  index target_columns(index columns) const override { return sparse_ ? 1 : columns; }

  void check_targets(index rows, index columns, const T* target,
                     index target_stride) const override {
    if (!sparse_) return;
    for (index r = 0; r < rows; ++r) {
      const T label = target[r * target_stride];
      // the comparisons refuse NaN too, and precede the conversion, which is undefined out of range
      const bool known = label >= 0 && label < static_cast<T>(columns) &&
                         static_cast<T>(static_cast<index>(label)) == label;
      LF_CHECK(known, "[" << name() << "] target of row " << r << " is " << label
                          << "; expected a whole number of 0 .. " << columns - 1);
    }
  }

  double value(const LossBatch<T>& batch) const override {
    const auto& table = kernels::table<T>();
    return mean(from_logits_ ? table.softmax_crossentropy : table.categorical_crossentropy,
                without_output(batch));
  }
  bool fuses(Activation last) const override {
    return last == Activation::softmax && !from_logits_;
  }
  double value_fused(Activation, const LossBatch<T>& batch) const override {
    return mean(kernels::table<T>().softmax_crossentropy, batch);
  }

 private:
  // Checks labels at every call: one out of range would lead outside of its row.
  double mean(LossKernel<T> kernel, const LossBatch<T>& batch) const {
    check_targets(batch.rows, batch.columns, batch.target, batch.target_stride);
    return mean_loss<T>(kernel, batch, 1, label_smoothing_, sparse_);
  }

  bool sparse_, from_logits_;
  T label_smoothing_;
};

template <class T>
struct DenseTargets final : CategoricalCrossentropy<T> {
  explicit DenseTargets(const base::Values& options)
      : CategoricalCrossentropy<T>(false, options["from_logits"].flag(),
                                   options["label_smoothing"].number()) {}
};

template <class T>
struct SparseTargets final : CategoricalCrossentropy<T> {
  explicit SparseTargets(const base::Values& options)
      : CategoricalCrossentropy<T>(true, options["from_logits"].flag(), 0.0) {}
};

}  // namespace

Component categorical_crossentropy() {
  return Family::of<DenseTargets>({{base::flag("from_logits", false),
                                    base::number("label_smoothing", 0.0, base::from_to(0, 1))}});
}

Component sparse_categorical_crossentropy() {
  return Family::of<SparseTargets>({{base::flag("from_logits", false)}});
}

}  // namespace lstmfast::losses
