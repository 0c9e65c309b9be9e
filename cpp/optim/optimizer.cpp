#include "optim/optimizer.h"

#include <limits>

#include "ops/vector.h"
#include "optim/common.h"

namespace lstmfast::optim {
namespace {

CommonOptions read_common(const base::Values& options) {
  const auto count = [&](const char* name, std::int64_t none) {
    return options[name].none() ? none : std::int64_t{options[name].integer()};
  };
  CommonOptions out;
  if (!options["weight_decay"].none()) out.weight_decay = options["weight_decay"].number();
  out.use_ema = options["use_ema"].flag();
  out.ema_momentum = options["ema_momentum"].number();
  if (out.use_ema) out.overwrite_frequency = count("ema_overwrite_frequency", 0);
  out.accumulation = count("gradient_accumulation_steps", 1);
  return out;
}

}  // namespace

base::Option learning_rate(double fallback) {
  return base::number("learning_rate", fallback, base::at_least(0));
}

base::OptionTable options(double learning_rate, std::vector<base::Option> own,
                          base::Fallback weight_decay) {
  own.insert(own.begin(), optim::learning_rate(learning_rate));
  own.push_back(base::number("weight_decay", std::move(weight_decay), base::at_least(0)));
  own.push_back(base::flag("use_ema", false));
  own.push_back(base::number("ema_momentum", 0.99, base::from_to(0, 1)));
  own.push_back(base::integer("ema_overwrite_frequency", base::none(), 1));
  own.push_back(base::integer("gradient_accumulation_steps", base::none(), 2));
  return {std::move(own)};
}

template <class T>
Optimizer<T>::Optimizer(const base::Values& options, Kernel kernel, Slots slots)
    : kernel_(kernel),
      kernel_slots_(slots.size()),
      slots_(std::move(slots)),
      common_(read_common(options)),
      learning_rate_(options["learning_rate"].number()) {
  if (common_.use_ema) slots_.push_back({"average"});
  if (common_.accumulation > 1) slots_.push_back({"gradient_sum"});
}

template <class T>
void Optimizer<T>::update(index count, T* parameters, const T* gradients, T* const* slots,
                          bool decays) const {
  const Factors factors = this->factors();
  const T decay = decays ? static_cast<T>(1 - common_.weight_decay * rate_) : T(1);
  const index arrays = std::max<index>(1, static_cast<index>(kernel_slots_));
  ops::for_shares(count, ops::kStreamGrain / arrays, [&](index begin, index end) {
    kernels::Update<T> part{end - begin, parameters + begin, gradients + begin, {}, {}, decay};
    for (std::size_t i = 0; i < kernel_slots_; ++i) part.slots[i] = slots[i] + begin;
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

template <class T>
double Optimizer<T>::current_rate() const {
  if (!schedule_) return learning_rate_;
  const double rate = schedule_(static_cast<double>(iterations_));
  if (!(rate >= 0 && rate <= std::numeric_limits<double>::max())) {
    const std::string where = "schedule at step " + std::to_string(iterations_);
    base::OptionReader({{"learning_rate", rate}}, where).read(optim::learning_rate(0));
  }
  return rate;
}

const base::Registry<Optimizer>& registry() {
  static const base::Registry<Optimizer> optimizers("optimizer", {
#define OPTIMIZER(kind) {#kind, #kind, kind()},
#include "optim/optimizers.def"
                                                                 });
  return optimizers;
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace lstmfast::optim
