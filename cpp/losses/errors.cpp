// Means over all elements of a function of d = prediction - target.
#include "losses/common.h"

namespace lstmfast::losses {
namespace {

// d^2
template <class T>
struct MeanSquaredError final : KernelLoss<T> {
  MeanSquaredError() : KernelLoss<T>("mean_squared_error", {&kernels::Table<T>::squared_error}) {}
};

// |d|
template <class T>
struct MeanAbsoluteError final : KernelLoss<T> {
  MeanAbsoluteError()
      : KernelLoss<T>("mean_absolute_error", {&kernels::Table<T>::absolute_error}) {}
};

// d^2 / 2 where |d| <= delta, delta |d| - delta^2 / 2 elsewhere
template <class T>
struct Huber final : KernelLoss<T> {
  explicit Huber(const base::Values& options)
      : KernelLoss<T>(
            "huber", {&kernels::Table<T>::huber_error, static_cast<T>(options["delta"].number())}) {
  }
};

}  // namespace

Component mean_squared_error() { return Family::of<MeanSquaredError>(); }
Component mean_absolute_error() { return Family::of<MeanAbsoluteError>(); }
Component huber() { return Family::of<Huber>({{base::number("delta", 1.0, base::above(0))}}); }

}  // namespace lstmfast::losses
