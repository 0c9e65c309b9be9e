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

template <class T>
std::unique_ptr<Constraint<T>> make(const base::Values& options, std::size_t rank) {
  return std::make_unique<UnitNorm<T>>(norm_of(options, rank));
}

}  // namespace

Component unit_norm() { return {{{axis_option()}}, make<float>, make<double>}; }

}  // namespace lstmfast::constraints
