#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of d^2 / 2 where |d| <= delta, of delta |d| - delta^2 / 2 elsewhere, d = p - t
template <class T>
class Huber final : public Loss<T> {
 public:
  explicit Huber(const base::Values& options) : delta_(static_cast<T>(options["delta"].number())) {}
  const char* name() const override { return "huber"; }
  double value(const LossBatch<T>& batch) const override {
    return mean_loss<T>(kernels::table<T>().huber_error, without_output(batch), batch.columns,
                        delta_);
  }

 private:
  T delta_;
};

}  // namespace

Component huber() { return Family::of<Huber>({{base::number("delta", 1.0, base::above(0))}}); }

}  // namespace lstmfast::losses
