#include "optim/optimizer.h"

#include "optim/common.h"

namespace lstmfast::optim {

template <class T>
Optimizer<T>::Optimizer(double learning_rate) {
  set_learning_rate(learning_rate);
}

template <class T>
void Optimizer<T>::step(index count, T* parameters, const T* gradients, T* const* slots) {
  begin_step();
  update(count, parameters, gradients, slots);
}

template <class T>
void Optimizer<T>::begin_step() {
  if (iterations_ < kMaxIterations) ++iterations_;
}

template <class T>
void Optimizer<T>::set_learning_rate(double value) {
  LF_CHECK(std::isfinite(value) && value >= 0,
           "[optimizer] learning_rate is " << value << "; expected a finite number of at least 0");
  learning_rate_ = value;
}

template <class T>
void Optimizer<T>::set_iterations(std::int64_t value) {
  LF_CHECK(value >= 0 && value <= kMaxIterations,
           "[optimizer] iterations is " << value << "; expected 0 to " << kMaxIterations);
  iterations_ = value;
}

std::vector<std::string> optimizer_names() {
  return {
#define OPTIMIZER(name) #name,
#include "optim/optimizers.def"
#undef OPTIMIZER
  };
}

template <class T>
std::unique_ptr<Optimizer<T>> make_optimizer(const std::string& name,
                                             const OptimizerOptions& options) {
#define OPTIMIZER(known) \
  if (name == #known) return make_##known<T>(options);
#include "optim/optimizers.def"
#undef OPTIMIZER
  std::string known;
  for (const std::string& one : optimizer_names()) known += (known.empty() ? "" : ", ") + one;
  LF_FAIL("[optimizer] unknown optimizer '" << name << "'; known: " << known);
}

template class Optimizer<float>;
template class Optimizer<double>;
template std::unique_ptr<Optimizer<float>> make_optimizer(const std::string&,
                                                          const OptimizerOptions&);
template std::unique_ptr<Optimizer<double>> make_optimizer(const std::string&,
                                                           const OptimizerOptions&);

}  // namespace lstmfast::optim
