#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w d / (epsilon + norm), d = rate clamp(norm, min_value, max_value) + (1 - rate) norm
template <class T>
class MinMaxNorm final : public Constraint<T> {
 public:
  MinMaxNorm(double min_value, double max_value, double rate, NormOf norm_of)
      : min_value_(min_value), max_value_(max_value), rate_(rate), norm_of_(norm_of) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block, [this](double norm) {
      const double within = std::clamp(norm, min_value_, max_value_);
      return (rate_ * within + (1 - rate_) * norm) / (kEpsilon + norm);
    });
  }

 private:
  double min_value_, max_value_, rate_;
  NormOf norm_of_;
};

template <class T>
std::unique_ptr<Constraint<T>> make(const base::Values& options, std::size_t rank) {
  return std::make_unique<MinMaxNorm<T>>(options["min_value"].number(),
                                         options["max_value"].number(), options["rate"].number(),
                                         norm_of(options, rank));
}

void check_order(const base::Values& options) {
  const base::Value &low = options["min_value"], &high = options["max_value"];
  if (low.number() > high.number()) {
    options.fail("min_value", "at most max_value, " + base::shown(high));
  }
}

}  // namespace

Component min_max_norm() {
  return {{{bound("min_value", 0), bound("max_value", 1),
            base::number("rate", 1, base::from_to(0, 1)), axis_option()},
           check_order},
          make<float>,
          make<double>};
}

}  // namespace lstmfast::constraints
