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

}  // namespace

template <class T>
std::unique_ptr<Constraint<T>> make_min_max_norm(const ConstraintOptions& options, NormOf norm_of) {
  const char* const name = "min_max_norm";
  const double highest = std::numeric_limits<double>::max();
  const double low = option(options, name, "min_value", 0, 0, highest);
  const double high = option(options, name, "max_value", 1, 0, highest);
  LF_CHECK(low <= high,
           "[min_max_norm] min_value is " << low << "; expected at most max_value, " << high);
  return std::make_unique<MinMaxNorm<T>>(low, high, option(options, name, "rate", 1, 0, 1),
                                         norm_of);
}
LF_CONSTRAINT_INSTANTIATE(min_max_norm)

}  // namespace lstmfast::constraints
