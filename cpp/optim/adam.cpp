// Adam and its relatives: AdamW, Adamax, Nadam. t is the step, counted from 1.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "optim/common.h"

namespace lstmfast::optim {
namespace {

template <class T>
class WithMoments : public Optimizer<T> {
 public:
  WithMoments(const base::Values& options, typename Optimizer<T>::Kernel kernel, Slots slots)
      : Optimizer<T>(options, kernel, std::move(slots)),
        beta_1_(options["beta_1"].number()),
        beta_2_(options["beta_2"].number()),
        epsilon_(options["epsilon"].number()) {}

 protected:
  // 1 - beta^t
  double correction(double beta) const { return 1 - std::pow(beta, this->step()); }

  const double beta_1_, beta_2_, epsilon_;
};

// rate = learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t)
template <class T>
class Adam final : public WithMoments<T> {
 public:
  explicit Adam(const base::Values& options)
      : WithMoments<T>(
            options, &kernels::Table<T>::adam,
            options["amsgrad"].flag() ? Slots{{"m"}, {"v"}, {"v_hat"}} : Slots{{"m"}, {"v"}}) {}

 private:
  Factors factors() const override {
    const double beta_1 = this->beta_1_, beta_2 = this->beta_2_;
    const double correction = std::sqrt(this->correction(beta_2)) / this->correction(beta_1);
    return {this->rate() * correction, 1 - beta_1, 1 - beta_2, this->epsilon_};
  }
};

// rate = learning_rate / (1 - beta_1^t)
template <class T>
class Adamax final : public WithMoments<T> {
 public:
  explicit Adamax(const base::Values& options)
      : WithMoments<T>(options, &kernels::Table<T>::adamax, {{"m"}, {"u"}}) {}

 private:
  Factors factors() const override {
    const double rate = this->rate() / this->correction(this->beta_1_);
    return {rate, 1 - this->beta_1_, this->beta_2_, this->epsilon_};
  }
};

// The product of 1 - 0.96^i / 2 over i = 1 .. t, whose factors beyond 1000 are 1.
double nadam_product(double t) {
  constexpr std::size_t kFactors = 1000;
  static const auto products = [] {
    std::array<double, kFactors + 1> out{1};
    for (std::size_t i = 1; i <= kFactors; ++i)
      out[i] = out[i - 1] * (1 - std::pow(0.96, static_cast<double>(i)) / 2);
    return out;
  }();
  return products[static_cast<std::size_t>(std::min<double>(t, kFactors))];
}

// The momentum of step t is u(t) = beta_1 (1 - 0.96^t / 2); P(t) is the product of u(1) .. u(t).
//   of_m = u(t + 1) / (1 - P(t + 1)), of_g = (1 - u(t)) / (1 - P(t)),
// both times learning_rate sqrt(1 - beta_2^t).
template <class T>
class Nadam final : public WithMoments<T> {
 public:
  explicit Nadam(const base::Values& options)
      : WithMoments<T>(options, &kernels::Table<T>::nadam, {{"m"}, {"v"}}) {}

 private:
  Factors factors() const override {
    const double beta_1 = this->beta_1_, t = this->step();
    const auto momentum = [&](double at) { return beta_1 * (1 - std::pow(0.96, at) / 2); };
    const auto left = [&](double at) { return 1 - std::pow(beta_1, at) * nadam_product(at); };
    const double root = std::sqrt(this->correction(this->beta_2_)), rate = this->rate() * root;
    return {rate * momentum(t + 1) / left(t + 1), rate * (1 - momentum(t)) / left(t), 1 - beta_1,
            1 - this->beta_2_, this->epsilon_ * root};
  }
};

std::vector<base::Option> rows(std::vector<base::Option> more = {}) {
  std::vector<base::Option> out = {base::number("beta_1", 0.9, base::from_to_below(0, 1)),
                                   base::number("beta_2", 0.999, base::from_to_below(0, 1)),
                                   base::number("epsilon", 1e-7, base::at_least(0))};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace

Component adam() { return Family::of<Adam>(options(0.001, rows({base::flag("amsgrad", false)}))); }
Component adamw() {
  return Family::of<Adam>(options(0.001, rows({base::flag("amsgrad", false)}), 0.004));
}
Component adamax() { return Family::of<Adamax>(options(0.001, rows())); }
Component nadam() { return Family::of<Nadam>(options(0.001, rows())); }

}  // namespace lstmfast::optim
