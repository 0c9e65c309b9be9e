// Losses of whole signals: samples of (steps, channels).
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// The energy of the error relative to that of the target, both filtered by x[n] - a x[n - 1], and
// that of their means.
template <class T>
struct ErrorToSignal final : KernelLoss<T> {
  explicit ErrorToSignal(const base::Values& options)
      : KernelLoss<T>("esr", options,
                      {&kernels::Table<T>::error_to_signal,
                       {static_cast<T>(options["pre_emphasis"].number()),
                        static_cast<T>(options["dc_weight"].number()),
                        static_cast<T>(options["epsilon"].number())},
                       Per::sample}) {}
};

}  // namespace

Component esr() {
  return kernel_loss<ErrorToSignal>({base::number("pre_emphasis", 0.0, base::from_to(-1, 1)),
                                     base::number("dc_weight", 0.0, base::at_least(0)),
                                     base::number("epsilon", 1e-5, base::above(0))});
}

}  // namespace lstmfast::losses
