#include "optim/optimizer.h"

#include "ops/vector.h"
#include "optim/common.h"

namespace lstmfast::optim {

template <class T>
void Optimizer<T>::update(index count, T* parameters, const T* gradients, T* const* slots) const {
  const Factors factors = this->factors();
  const index arrays = std::max<index>(1, static_cast<index>(slots_.size()));
  ops::for_shares(count, ops::kStreamGrain / arrays, [&](index begin, index end) {
    kernels::Update<T> part{end - begin, parameters + begin, gradients + begin, {}, {}};
    for (std::size_t i = 0; i < slots_.size(); ++i) part.slots[i] = slots[i] + begin;
    std::transform(factors.begin(), factors.end(), part.factors,
                   [](double factor) { return static_cast<T>(factor); });
    (kernels::table<T>().*kernel_)(part);
  });
}

template <class T>
void Optimizer<T>::set_learning_rate(double value) {
  const base::OptionReader given({{"learning_rate", value}}, "optimizer");
  learning_rate_ = given.read(optim::learning_rate(0)).number();
}

const base::Registry<Optimizer>& registry() {
  static const base::Registry<Optimizer> optimizers("optimizer", {
#define OPTIMIZER(kind) {#kind, #kind, kind()},
#include "kernels/optimizers.def"
                                                                 });
  return optimizers;
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace lstmfast::optim
