#include "optim/optimizer.h"

#include "base/check.h"
#include "optim/common.h"

namespace lstmfast::optim {

template <class T>
Optimizer<T>::Optimizer(double learning_rate) {
  set_learning_rate(learning_rate);
}

template <class T>
void Optimizer<T>::begin_step() {
  if (iterations_ < kMaxIterations) ++iterations_;
}

template <class T>
void Optimizer<T>::set_learning_rate(double value) {
  const base::OptionReader given({{"learning_rate", value}}, "optimizer");
  learning_rate_ = given.read(optim::learning_rate(0)).number();
}

template <class T>
void Optimizer<T>::set_iterations(std::int64_t value) {
  LF_CHECK(value >= 0 && value <= kMaxIterations,
           "[optimizer] iterations is " << value << "; expected 0 to " << kMaxIterations);
  iterations_ = value;
}

const base::Registry<Optimizer>& registry() {
  static const base::Registry<Optimizer> optimizers("optimizer", {
#define OPTIMIZER(kind) {#kind, #kind, kind()},
#include "optim/optimizers.def"
#undef OPTIMIZER
                                                                 });
  return optimizers;
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace lstmfast::optim
