#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w d / (epsilon + norm), d = rate clamp(norm, min_value, max_value) + (1 - rate) norm
template <class T>
class MinMaxNorm final : public Constraint<T> {
 public:
  MinMaxNorm(const base::Values& options, std::size_t rank)
      : min_value_(options["min_value"].number()),
        max_value_(options["max_value"].number()),
        rate_(options["rate"].number()),
        norm_of_(norm_of(options, rank)) {}

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

void check_order(const base::Values& options) {
  const base::Value &low = options["min_value"], &high = options["max_value"];
  if (low.number() > high.number()) {
    options.fail("min_value", "at most max_value, " + base::shown(high));
  }
}

}  // namespace

Component min_max_norm() {
  return Family::of<MinMaxNorm>({{bound("min_value", 0), bound("max_value", 1),
                                  base::number("rate", 1, base::from_to(0, 1)), axis_option()},
                                 check_order});
}

}  // namespace lstmfast::constraints
