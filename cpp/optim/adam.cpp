#include <cmath>

#include "optim/common.h"

namespace lstmfast::optim {
namespace {

// rate = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) in step t = 1, 2, ...
template <class T>
class Adam final : public Optimizer<T> {
 public:
  explicit Adam(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::adam, {"m", "v"}),
        beta_1_(options["beta_1"].number()),
        beta_2_(options["beta_2"].number()),
        epsilon_(options["epsilon"].number()) {}

 private:
  Factors factors() const override {
    const double t = static_cast<double>(this->iterations());
    const double correction = std::sqrt(1 - std::pow(beta_2_, t)) / (1 - std::pow(beta_1_, t));
    return {this->learning_rate() * correction, 1 - beta_1_, 1 - beta_2_, epsilon_};
  }

  double beta_1_, beta_2_, epsilon_;
};

}  // namespace

Component adam() {
  return Family::of<Adam>(
      {{learning_rate(0.001), base::number("beta_1", 0.9, base::from_to_below(0, 1)),
        base::number("beta_2", 0.999, base::from_to_below(0, 1)),
        base::number("epsilon", 1e-7, base::at_least(0))}});
}

}  // namespace lstmfast::optim
