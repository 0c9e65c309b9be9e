#include <cmath>

#include "base/check.h"
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of d^2 / 2 where |d| <= delta, of delta |d| - delta^2 / 2 elsewhere, d = p - t
template <class T>
class Huber final : public Loss<T> {
 public:
  explicit Huber(double delta) : delta_(static_cast<T>(delta)) {}
  const char* name() const override { return "huber"; }
  double value(const LossBatch<T>& batch) const override {
    return mean_loss<T>(kernels::table<T>().huber_error, without_output(batch), batch.columns,
                        delta_);
  }

 private:
  T delta_;
};

}  // namespace

template <class T>
std::unique_ptr<Loss<T>> make_huber(const LossOptions& options) {
  const double delta = option(options, "delta", 1.0);
  LF_CHECK(std::isfinite(delta) && delta > 0,
           "[huber] delta is " << delta << "; expected a number above 0");
  return std::make_unique<Huber<T>>(delta);
}
LF_LOSS_INSTANTIATE(huber)

}  // namespace lstmfast::losses
