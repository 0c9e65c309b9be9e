// Limits on gradients before a step, by Keras's formulas, and the check that they are finite. Knows
// no optimizer.
#pragma once

#include <cmath>
#include <limits>

#include "base/options.h"
#include "base/plain.h"
#include "ops/vector.h"

namespace lstmfast::optim {

// At most one is positive; 0 is off.
struct ClipOptions {
  double value = 0;        // each element into -value .. value
  double norm = 0;         // each parameter scaled down to this L2 norm
  double global_norm = 0;  // all parameters together scaled down to this L2 norm
};

// The options of all optimizers that limit gradients, of which one may be given; their keys stand
// below "clip".
const base::OptionTable& clip_options();
ClipOptions read_clip(const base::OptionReader& given);

// The L2 norm of `data` over runs: each(f) calls f(first, length) for every one. Where squares
// overflow, the elements are scaled by a power of two first.
template <class T, class Each>
double norm_of(const T* data, Each each) {
  const auto squares = [&](T factor) {
    double total = 0;
    each([&](index first, index length) {
      total += ops::sum_of_squares(length, data + first, factor);
    });
    return total;
  };
  double factor = 1;
  double total = squares(1);
  if (!std::isfinite(total)) {
    factor = std::ldexp(1.0, -std::numeric_limits<T>::max_exponent * 5 / 8);
    total = squares(static_cast<T>(factor));
  }
  return std::sqrt(total) / factor;
}

template <class T, class Each>
void scale_to(double limit, double norm, T* data, Each each) {
  if (norm <= limit) return;
  const T factor = static_cast<T>(limit / norm);
  each([&](index first, index length) { ops::scale(length, factor, data + first, data + first); });
}

// Clips gradients in place and returns true; or, with `check`, leaves them as they are and returns
// false where one is infinite or NaN. Without it, gradients that are not finite give gradients that
// are not finite. all(f) calls f(first, length) for the runs of all gradients; parameters(g) calls
// g(each) for each parameter, with each(f) as all(f) for its own. A run may hold padding, which is
// zero and so counts for nothing.
template <class T, class All, class Parameters>
bool clip(const ClipOptions& options, T* gradients, bool check, All all, Parameters parameters) {
  bool finite = true;
  if (check) {
    all([&](index first, index length) {
      finite = finite && ops::all_finite(length, gradients + first);
    });
  }
  if (!finite) return false;
  if (options.value > 0) {
    const T limit = static_cast<T>(options.value);
    all([&](index first, index length) {
      ops::clamp(length, -limit, limit, gradients + first, gradients + first);
    });
  } else if (options.norm > 0) {
    parameters(
        [&](auto each) { scale_to(options.norm, norm_of(gradients, each), gradients, each); });
  } else if (options.global_norm > 0) {
    double total = norm_of(gradients, all);
    if (std::isinf(total))
      total = std::numeric_limits<double>::quiet_NaN();  // infinite gradients: all NaN, as Keras
    scale_to(options.global_norm, total, gradients, all);
  }
  return true;
}

}  // namespace lstmfast::optim
