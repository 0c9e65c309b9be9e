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

template <class T>
std::unique_ptr<Loss<T>> make(const base::Values&) {
  return std::make_unique<MeanSquaredError<T>>();
}

}  // namespace

Component mean_squared_error() { return {{}, make<float>, make<double>}; }

}  // namespace lstmfast::losses
