#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// w / (epsilon + norm)
template <class T>
class UnitNorm final : public Constraint<T> {
 public:
  explicit UnitNorm(NormOf norm_of) : norm_of_(norm_of) {}

  void apply(const ops::PartLayout& part, T* block) const override {
    scale_by_norms(norm_of_, part, block, [](double norm) { return 1 / (kEpsilon + norm); });
  }

 private:
  NormOf norm_of_;
};

}  // namespace

template <class T>
std::unique_ptr<Constraint<T>> make_unit_norm(const ConstraintOptions&, NormOf norm_of) {
  return std::make_unique<UnitNorm<T>>(norm_of);
}
LF_CONSTRAINT_INSTANTIATE(unit_norm)

}  // namespace lstmfast::constraints
