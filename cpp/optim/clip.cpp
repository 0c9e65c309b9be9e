#include "optim/clip.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "ops/vector.h"

namespace lstmfast::optim {
namespace {

void check_limit(const char* key, double limit) {
  LF_CHECK(std::isfinite(limit) && limit >= 0,
           "[clip] " << key << " is " << limit << "; expected a number above 0, or 0 for none");
}

// f(first, length) of every run.
template <class F>
void for_runs(const ParameterRuns& p, F f) {
  for (index r = 0; r < p.runs; ++r) f(p.first + r * p.run_stride, p.run_length);
  if (p.last_length > 0) f(p.last_first, p.last_length);
}

// L2 norm over runs. Where squares overflow, the elements are scaled by a power of two first.
template <class T>
double norm(const T* data, const ParameterRuns& p) {
  const auto squares = [&](T factor) {
    double total = 0;
    for_runs(p, [&](index first, index length) {
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

template <class T>
void scale_to(double limit, double norm, T* data, const ParameterRuns& p) {
  if (norm <= limit) return;
  const T factor = static_cast<T>(limit / norm);
  for_runs(p, [&](index first, index length) {
    ops::scale(length, factor, data + first, data + first);
  });
}

}  // namespace

template <class T>
Clip<T>::Clip(const ClipOptions& options) : options_(options) {
  check_limit("value", options.value);
  check_limit("norm", options.norm);
  check_limit("global_norm", options.global_norm);
  LF_CHECK((options.value > 0) + (options.norm > 0) + (options.global_norm > 0) <= 1,
           "[clip] value is " << options.value << ", norm " << options.norm << ", global_norm "
                              << options.global_norm << "; expected at most one of them above 0");
}

template <class T>
bool Clip<T>::apply(index count, T* gradients, const std::vector<ParameterRuns>& parameters) const {
  if (!ops::all_finite(count, gradients)) return false;
  apply_unchecked(count, gradients, parameters);
  return true;
}

template <class T>
void Clip<T>::apply_unchecked(index count, T* gradients,
                              const std::vector<ParameterRuns>& parameters) const {
  if (options_.value > 0) {
    const T limit = static_cast<T>(options_.value);
    ops::clamp(count, -limit, limit, gradients, gradients);
  } else if (options_.norm > 0) {
    for (const ParameterRuns& p : parameters)
      scale_to(options_.norm, norm(gradients, p), gradients, p);
  } else if (options_.global_norm > 0) {
    const ParameterRuns all{0, 1, count, count};
    double total = norm(gradients, all);
    if (std::isinf(total))
      total = std::numeric_limits<double>::quiet_NaN();  // infinite gradients: all NaN, as Keras
    scale_to(options_.global_norm, total, gradients, all);
  }
}

template class Clip<float>;
template class Clip<double>;

}  // namespace lstmfast::optim
