#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of -(t log p + (1 - t) log(1 - p)), p limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// sigmoid(x), no limit is needed.
template <class T>
class BinaryCrossentropy final : public Loss<T> {
 public:
  explicit BinaryCrossentropy(const base::Values& options)
      : from_logits_(options["from_logits"].flag()),
        label_smoothing_(static_cast<T>(options["label_smoothing"].number())) {}
  const char* name() const override { return "binary_crossentropy"; }

  double value(const LossBatch<T>& batch) const override {
    const auto& table = kernels::table<T>();
    return mean(from_logits_ ? table.sigmoid_crossentropy : table.binary_crossentropy,
                without_output(batch));
  }
  bool fuses(Activation last) const override {
    return last == Activation::sigmoid && !from_logits_;
  }
  double value_fused(Activation, const LossBatch<T>& batch) const override {
    return mean(kernels::table<T>().sigmoid_crossentropy, batch);
  }

 private:
  double mean(LossKernel<T> kernel, const LossBatch<T>& batch) const {
    return mean_loss<T>(kernel, batch, batch.columns, label_smoothing_);
  }

  bool from_logits_;
  T label_smoothing_;
};

}  // namespace

Component binary_crossentropy() {
  return Family::of<BinaryCrossentropy>(
      {{base::flag("from_logits", false),
        base::number("label_smoothing", 0.0, base::from_to(0, 1))}});
}

}  // namespace lstmfast::losses
