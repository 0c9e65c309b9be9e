#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// mean of (p - t)^2
template <class T>
class MeanSquaredError final : public Loss<T> {
 public:
  const char* name() const override { return "mean_squared_error"; }
  double value(const LossBatch<T>& batch) const override {
    return mean_loss<T>(kernels::table<T>().squared_error, without_output(batch), batch.columns);
  }
};

}  // namespace

Component mean_squared_error() { return Family::of<MeanSquaredError>(); }

}  // namespace lstmfast::losses
