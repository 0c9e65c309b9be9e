#include "base/check.h"
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of -(t log p + (1 - t) log(1 - p)), p limited to 1e-7 .. 1 - 1e-7; from logits, with p =
// sigmoid(x), no limit is needed.
template <class T>
class BinaryCrossentropy final : public Loss<T> {
 public:
  BinaryCrossentropy(bool from_logits, double label_smoothing)
      : from_logits_(from_logits), label_smoothing_(static_cast<T>(label_smoothing)) {}
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

template <class T>
std::unique_ptr<Loss<T>> make_binary_crossentropy(const LossOptions& options) {
  const double smoothing = option(options, "label_smoothing", 0.0);
  LF_CHECK(smoothing >= 0 && smoothing <= 1, "[binary_crossentropy] label_smoothing is "
                                                 << smoothing << "; expected a number of 0 .. 1");
  return std::make_unique<BinaryCrossentropy<T>>(option(options, "from_logits", 0.0) != 0,
                                                 smoothing);
}
LF_LOSS_INSTANTIATE(binary_crossentropy)

}  // namespace lstmfast::losses
