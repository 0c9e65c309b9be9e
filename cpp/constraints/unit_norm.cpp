#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w / (epsilon + norm)
template <class T>
class UnitNorm final : public Constraint<T> {
 public:
  UnitNorm(const base::Values& options, std::size_t rank) : norm_of_(norm_of(options, rank)) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block, [](double norm) { return 1 / (kEpsilon + norm); });
  }

 private:
  NormOf norm_of_;
};

}  // namespace

Component unit_norm() { return Family::of<UnitNorm>({{axis_option()}}); }

}  // namespace lstmfast::constraints
