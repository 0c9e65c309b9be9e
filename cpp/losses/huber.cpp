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

template <class T>
std::unique_ptr<Loss<T>> make(const base::Values& options) {
  return std::make_unique<Huber<T>>(options["delta"].number());
}

}  // namespace

Component huber() {
  return {{{base::number("delta", 1.0, base::above(0))}}, make<float>, make<double>};
}

}  // namespace lstmfast::losses
