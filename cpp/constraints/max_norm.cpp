#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w min(norm, max_value) / (epsilon + norm): as in Keras, shorter vectors lose a 1e-7th, too
template <class T>
class MaxNorm final : public Constraint<T> {
 public:
  MaxNorm(const base::Values& options, std::size_t rank)
      : max_value_(options["max_value"].number()), norm_of_(norm_of(options, rank)) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block,
                   [this](double norm) { return std::min(norm, max_value_) / (kEpsilon + norm); });
  }

 private:
  double max_value_;
  NormOf norm_of_;
};

}  // namespace

Component max_norm() { return Family::of<MaxNorm>({{bound("max_value", 2), axis_option()}}); }

}  // namespace lstmfast::constraints
