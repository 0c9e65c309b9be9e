#include "optim/clip.h"

#include <cmath>
#include <limits>

#include "ops/vector.h"

namespace lstmfast::optim {
namespace {

base::Option limit(const char* name, const char* key) {
  base::Option out = base::number(name, base::none(), base::above(0));
  out.key = key;
  return out;
}

void check_one(const base::Values& options) {
  const char* given = nullptr;
  for (const char* name : {"clipnorm", "clipvalue", "global_clipnorm"}) {
    if (options[name].none()) continue;
    if (given != nullptr) options.fail(name, std::string("None beside ") + given);
    given = name;
  }
}

// f(first, length) of every run.
template <class F>
void for_runs(const ParameterRuns& p, F f) {
  for (index r = 0; r < p.runs; ++r) f(p.first + r * p.run_stride, p.run_length);
  if (p.last_length > 0) f(p.last_first, p.last_length);
}

// L2 norm over runs, which `each` passes to a function as (first, length). Where squares overflow,
// the elements are scaled by a power of two first.
template <class T, class Each>
double norm(const T* data, Each each) {
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

}  // namespace

const base::OptionTable& clip_options() {
  static const base::OptionTable table{{limit("clipnorm", "norm"), limit("clipvalue", "value"),
                                        limit("global_clipnorm", "global_norm")},
                                       check_one};
  return table;
}

ClipOptions read_clip(const base::OptionReader& given) {
  const base::Values options = given.read(clip_options());
  const auto of = [&](const char* name) {
    return options[name].none() ? 0.0 : options[name].number();
  };
  return {of("clipvalue"), of("clipnorm"), of("global_clipnorm")};
}

template <class T>
bool Clip<T>::apply(T* gradients, const std::vector<GradientRange>& ranges,
                    const std::vector<ParameterRuns>& parameters, bool check) const {
  for (const GradientRange& range : ranges) {
    if (check && !ops::all_finite(range.count, gradients + range.first)) return false;
  }
  if (options_.value > 0) {
    const T limit = static_cast<T>(options_.value);
    for (const GradientRange& range : ranges) {
      T* const at = gradients + range.first;
      ops::clamp(range.count, -limit, limit, at, at);
    }
  } else if (options_.norm > 0) {
    for (std::size_t begin = 0, end; begin < parameters.size(); begin = end) {
      end = begin + 1;
      while (end < parameters.size() && parameters[end].continues) ++end;
      const auto each = [&](auto f) {
        for (std::size_t i = begin; i < end; ++i) for_runs(parameters[i], f);
      };
      scale_to(options_.norm, norm(gradients, each), gradients, each);
    }
  } else if (options_.global_norm > 0) {
    const auto each = [&ranges](auto f) {
      for (const GradientRange& range : ranges) f(range.first, range.count);
    };
    double total = norm(gradients, each);
    if (std::isinf(total))
      total = std::numeric_limits<double>::quiet_NaN();  // infinite gradients: all NaN, as Keras
    scale_to(options_.global_norm, total, gradients, each);
  }
  return true;
}

template class Clip<float>;
template class Clip<double>;

}  // namespace lstmfast::optim
