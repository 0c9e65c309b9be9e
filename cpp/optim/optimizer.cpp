#include "optim/optimizer.h"

#include "optim/common.h"

namespace lstmfast::optim {

template <class T>
void Optimizer<T>::set_learning_rate(double value) {
  const base::OptionReader given({{"learning_rate", value}}, "optimizer");
  learning_rate_ = given.read(optim::learning_rate(0)).number();
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
