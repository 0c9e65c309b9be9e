// Losses of a function of d = prediction - target, and those without options.
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 elsewhere
template <class T>
struct Huber final : KernelLoss<T> {
  explicit Huber(const base::Values& options)
      : KernelLoss<T>(
            "huber", options,
            {&kernels::Table<T>::huber_error, {static_cast<T>(options["delta"].number())}}) {}
};

// Pinball loss; the quantiles of a target stand next to each other.
template <class T>
class Quantile final : public KernelLoss<T> {
 public:
  explicit Quantile(const base::Values& options)
      : Quantile(options, all_of(options["quantiles"])) {}

  bool of_elements() const override { return count_ == 1; }
  index target_columns(index columns) const override {
    LF_CHECK(columns % count_ == 0, "[quantile] prediction has "
                                        << columns << " columns; expected a multiple of " << count_
                                        << ", the quantiles of each target");
    return columns / count_;
  }

 private:
  Quantile(const base::Values& options, const base::Numbers& quantiles)
      : KernelLoss<T>("quantile", options, {&kernels::Table<T>::quantile_error, all(quantiles)}),
        count_(static_cast<index>(quantiles.size())) {}

  static base::Numbers all_of(const base::Value& value) {
    return value.kind() == base::Value::Kind::numbers ? value.numbers()
                                                      : base::Numbers{value.number()};
  }
  static std::vector<T> all(const base::Numbers& quantiles) {
    std::vector<T> out = {static_cast<T>(quantiles.size())};
    for (const double quantile : quantiles) out.push_back(static_cast<T>(quantile));
    return out;
  }

  index count_;
};

}  // namespace

#define PLAIN_LOSS(kind, alias, per)                                                 \
  template <class T>                                                                 \
  struct Loss_##kind final : KernelLoss<T> {                                         \
    explicit Loss_##kind(const base::Values& options)                                \
        : KernelLoss<T>(#kind, options, {&kernels::Table<T>::kind, {}, Per::per}) {} \
  };                                                                                 \
  Component kind() { return kernel_loss<Loss_##kind>(); }
#include "kernels/plain_losses.def"

Component huber() { return kernel_loss<Huber>({base::number("delta", 1.0, base::above(0))}); }
Component quantile() {
  base::Option quantiles = base::numbers("quantiles", 0.5, {0, 1, true, true});
  quantiles.takes |= base::kNumber;  // one, too
  return kernel_loss<Quantile>({quantiles});
}

}  // namespace lstmfast::losses
