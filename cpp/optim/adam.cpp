#include <cmath>

#include "kernels/table.h"
#include "ops/vector.h"
#include "optim/common.h"

namespace lstmfast::optim {
namespace {

// m += (g - m) (1 - beta_1), v += (g^2 - v) (1 - beta_2), p -= rate m / (sqrt(v) + epsilon) with
// rate = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) in step t = 1, 2, ...
template <class T>
class Adam final : public Optimizer<T> {
 public:
  explicit Adam(const base::Values& options)
      : Optimizer<T>(options),
        beta_1_(options["beta_1"].number()),
        beta_2_(options["beta_2"].number()),
        epsilon_(static_cast<T>(options["epsilon"].number())) {}
  int slots() const override { return 2; }
  const char* slot_name(int slot) const override { return slot == 0 ? "m" : "v"; }

  void update(index count, T* parameters, const T* gradients, T* const* slots) const override {
    const double t = static_cast<double>(this->iterations());
    const double correction = std::sqrt(1 - std::pow(beta_2_, t)) / (1 - std::pow(beta_1_, t));
    const T rate = static_cast<T>(this->learning_rate() * correction);
    const T c1 = static_cast<T>(1 - beta_1_), c2 = static_cast<T>(1 - beta_2_);
    ops::for_shares(count, ops::kStreamGrain / 2, [&](index begin, index end) {
      kernels::table<T>().adam({end - begin, rate, c1, c2, epsilon_, parameters + begin,
                                gradients + begin, slots[0] + begin, slots[1] + begin});
    });
  }

 private:
  double beta_1_, beta_2_;
  T epsilon_;
};

}  // namespace

Component adam() {
  return Family::of<Adam>(
      {{learning_rate(0.001), base::number("beta_1", 0.9, base::from_to_below(0, 1)),
        base::number("beta_2", 0.999, base::from_to_below(0, 1)),
        base::number("epsilon", 1e-7, base::at_least(0))}});
}

}  // namespace lstmfast::optim
