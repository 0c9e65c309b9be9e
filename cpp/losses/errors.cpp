// Means over all elements of a function of d = prediction - target.
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 elsewhere
template <class T>
struct Huber final : KernelLoss<T> {
  explicit Huber(const base::Values& options)
      : KernelLoss<T>(
            "huber", {&kernels::Table<T>::huber_error, static_cast<T>(options["delta"].number())}) {
  }
};

}  // namespace

#define ELEMENT_LOSS(kind, alias)                                       \
  template <class T>                                                    \
  struct Loss_##kind final : KernelLoss<T> {                            \
    Loss_##kind() : KernelLoss<T>(#kind, {&kernels::Table<T>::kind}) {} \
  };                                                                    \
  Component kind() { return Family::of<Loss_##kind>(); }
#include "kernels/element_losses.def"

Component huber() { return Family::of<Huber>({{base::number("delta", 1.0, base::above(0))}}); }

}  // namespace lstmfast::losses
