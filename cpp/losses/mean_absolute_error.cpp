#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of |p - t|
template <class T>
class MeanAbsoluteError final : public Loss<T> {
 public:
  const char* name() const override { return "mean_absolute_error"; }
  double value(const LossBatch<T>& batch) const override {
    return mean_loss<T>(kernels::table<T>().absolute_error, without_output(batch), batch.columns);
  }
};

}  // namespace

Component mean_absolute_error() { return Family::of<MeanAbsoluteError>(); }

}  // namespace lstmfast::losses
