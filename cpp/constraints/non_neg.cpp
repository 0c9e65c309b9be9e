#include <limits>

#include "constraints/common.h"
#include "ops/vector.h"

namespace lstmfast::constraints {
namespace {

// max(w, 0)
template <class T>
class NonNeg final : public Constraint<T> {
 public:
  void apply(const ops::PartLayout& part, T* block) const override {
    for (index p = 0; p < part.panels; ++p) {
      T* const run = block + part.place(p).first;
      ops::clamp(part.run_length(p), T(0), std::numeric_limits<T>::infinity(), run, run);
    }
  }
};

}  // namespace

Component non_neg() { return Family::of<NonNeg>(); }

}  // namespace lstmfast::constraints
