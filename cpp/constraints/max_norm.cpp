#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w min(norm, max_value) / (epsilon + norm): also what is short enough loses a 1e-7th, as in Keras
template <class T>
class MaxNorm final : public Constraint<T> {
 public:
  MaxNorm(double max_value, NormOf norm_of) : max_value_(max_value), norm_of_(norm_of) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block,
                   [this](double norm) { return std::min(norm, max_value_) / (kEpsilon + norm); });
  }

 private:
  double max_value_;
  NormOf norm_of_;
};

}  // namespace

template <class T>
std::unique_ptr<Constraint<T>> make_max_norm(const ConstraintOptions& options, NormOf norm_of) {
  const double highest = std::numeric_limits<double>::max();
  return std::make_unique<MaxNorm<T>>(option(options, "max_norm", "max_value", 2, 0, highest),
                                      norm_of);
}
LF_CONSTRAINT_INSTANTIATE(max_norm)

}  // namespace lstmfast::constraints
