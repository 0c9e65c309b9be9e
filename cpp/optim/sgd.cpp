#include "optim/common.h"

namespace lstmfast::optim {
namespace {

template <class T>
class Sgd final : public Optimizer<T> {
 public:
  explicit Sgd(const base::Values& options)
      : Optimizer<T>(options, &kernels::Table<T>::sgd,
                     options["momentum"].number() > 0 ? Slots{{"velocity"}} : Slots{}),
        momentum_(options["momentum"].number()),
        nesterov_(options["nesterov"].flag()) {}

 private:
  Factors factors() const override { return {this->rate(), momentum_, nesterov_ ? 1.0 : 0.0}; }
  bool keeps_moving() const override { return momentum_ > 0; }

  double momentum_;
  bool nesterov_;
};

}  // namespace

Component sgd() {
  return Family::of<Sgd>(options(
      0.01, {base::number("momentum", 0.0, base::from_to(0, 1)), base::flag("nesterov", false)}));
}

}  // namespace lstmfast::optim
