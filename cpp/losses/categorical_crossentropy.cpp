#include "base/check.h"
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean over rows of -sum of t log(p / sum of p), limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// softmax(x), no limit is needed. Sparse: the target is the label of the one column where t is 1.
template <class T>
class CategoricalCrossentropy final : public Loss<T> {
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
      // the comparisons also refuse NaN, and come before the conversion, which is undefined out of
      // range
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
  // A label out of range would read and write outside the row, so labels are checked at every call.
  double mean(LossKernel<T> kernel, const LossBatch<T>& batch) const {
    check_targets(batch.rows, batch.columns, batch.target, batch.target_stride);
    return mean_loss<T>(kernel, batch, 1, label_smoothing_, sparse_);
  }

  bool sparse_, from_logits_;
  T label_smoothing_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_categorical_crossentropy(const LossOptions& options) {
  const double smoothing = option(options, "label_smoothing", 0.0);
  LF_CHECK(smoothing >= 0 && smoothing <= 1, "[categorical_crossentropy] label_smoothing is "
                                                 << smoothing << "; expected a number of 0 .. 1");
  return std::make_unique<CategoricalCrossentropy<T>>(
      false, option(options, "from_logits", 0.0) != 0, smoothing);
}
LF_LOSS_INSTANTIATE(categorical_crossentropy)

template <class T>
std::unique_ptr<Loss<T>> make_sparse_categorical_crossentropy(const LossOptions& options) {
  return std::make_unique<CategoricalCrossentropy<T>>(
      true, option(options, "from_logits", 0.0) != 0, 0.0);
}
LF_LOSS_INSTANTIATE(sparse_categorical_crossentropy)

}  // namespace lstmfast::losses
