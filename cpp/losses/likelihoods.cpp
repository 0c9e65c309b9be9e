// Negative logarithms of densities that a prediction describes.
#include <algorithm>

#include "losses/common.h"

namespace lstmfast::losses {
namespace {

constexpr index kMaxComponents = 1 << 20;  // exact as a parameter of the kernel

// In the order of kernels::Spread.
const std::vector<std::string>& spreads() {
  static const std::vector<std::string> names = {"standard_deviation", "variance", "log_variance"};
  return names;
}

// -log N(t; mean, spread) of each target; a row of a prediction is [means | spreads].
template <class T>
struct Gaussian final : KernelLoss<T> {
  explicit Gaussian(const base::Values& options)
      : KernelLoss<T>("gaussian_negative_log_likelihood", options,
                      {&kernels::Table<T>::gaussian_likelihood, {spread(options)}, Per::target}) {}

  index target_columns(index columns) const override {
    LF_CHECK(columns % 2 == 0, "[" << this->name() << "] prediction has " << columns
                                   << " columns; expected an even number, the means of all targets "
                                      "and then their spreads");
    return columns / 2;
  }

  static T spread(const base::Values& options) {
    const auto at = std::find(spreads().begin(), spreads().end(), options["spread"].text());
    return static_cast<T>(at - spreads().begin());
  }
};

// -log of the density of a row's targets; a row of a prediction is what the layer MixtureDensity
// returns.
template <class T>
class MixtureLoss final : public KernelLoss<T> {
 public:
  explicit MixtureLoss(const base::Values& options)
      : KernelLoss<T>("mixture_negative_log_likelihood", options,
                      {&kernels::Table<T>::mixture_likelihood,
                       {static_cast<T>(options["components"].integer())},
                       Per::row}),
        components_(options["components"].integer()) {}

  index target_columns(index columns) const override {
    const index targets = (columns / components_ - 1) / 2;
    LF_CHECK(targets >= 1 && columns == components_ * (1 + 2 * targets),
             "[" << this->name() << "] prediction has " << columns << " columns; expected "
                 << components_ << " * (1 + 2 * dimensions), what MixtureDensity(" << components_
                 << ", dimensions) returns");
    return targets;
  }

 private:
  index components_;
};

}  // namespace

Component gaussian_negative_log_likelihood() {
  return kernel_loss<Gaussian>({base::text("spread", "standard_deviation", spreads())});
}
Component mixture_negative_log_likelihood() {
  return kernel_loss<MixtureLoss>(
      {base::integer("components", base::kRequired, 1, kMaxComponents)});
}

}  // namespace lstmfast::losses
