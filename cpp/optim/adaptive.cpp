// Optimizers that divide by the root of a mean or sum of squared gradients, without bias
// corrections: RMSprop, Adagrad, Adadelta.
#include "optim/common.h"

namespace lstmfast::optim {
namespace {

template <class T>
class RmsProp final : public Optimizer<T> {
 public:
  explicit RmsProp(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::rmsprop, used_slots(options)),
        rho_(options["rho"].number()),
        momentum_(options["momentum"].number()),
        epsilon_(options["epsilon"].number()) {}

 private:
  static Slots used_slots(const base::Values& options) {
    Slots out{{"velocity"}};
    if (options["momentum"].number() > 0) out.push_back({"momentum"});
    if (options["centered"].flag()) out.push_back({"average_gradient"});
    return out;
  }
  Factors factors() const override { return {this->rate(), 1 - rho_, momentum_, epsilon_}; }

  double rho_, momentum_, epsilon_;
};

template <class T>
class Adagrad final : public Optimizer<T> {
 public:
  explicit Adagrad(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::adagrad,
                     {{"accumulator", options["initial_accumulator_value"].number()}}),
        epsilon_(options["epsilon"].number()) {}

 private:
  Factors factors() const override { return {this->rate(), epsilon_}; }
  bool keeps_moving() const override { return false; }

  double epsilon_;
};

template <class T>
class Adadelta final : public Optimizer<T> {
 public:
  explicit Adadelta(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::adadelta,
                     {{"accumulated_grad"}, {"accumulated_delta_var"}}),
        rho_(options["rho"].number()),
        epsilon_(options["epsilon"].number()) {}

 private:
  Factors factors() const override { return {this->rate(), 1 - rho_, epsilon_}; }

  double rho_, epsilon_;
};

base::Option epsilon() { return base::number("epsilon", 1e-7, base::at_least(0)); }
base::Option share(const char* name, double fallback) {
  return base::number(name, fallback, base::from_to(0, 1));
}

}  // namespace

Component rmsprop() {
  return Family::of<RmsProp>(options(
      0.001, {share("rho", 0.9), share("momentum", 0), epsilon(), base::flag("centered", false)}));
}
Component adagrad() {
  return Family::of<Adagrad>(options(
      0.001, {base::number("initial_accumulator_value", 0.1, base::at_least(0)), epsilon()}));
}
Component adadelta() {
  return Family::of<Adadelta>(options(0.001, {share("rho", 0.95), epsilon()}));
}

}  // namespace lstmfast::optim
