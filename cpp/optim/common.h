// What the optimizers share: the list's makers, and reading options. Knows no particular optimizer.
#pragma once

#include <cmath>

#include "base/check.h"
#include "optim/optimizer.h"

namespace lstmfast::optim {

#define OPTIMIZER(name) \
  template <class T>    \
  std::unique_ptr<Optimizer<T>> make_##name(const OptimizerOptions& options);
#include "optim/optimizers.def"
#undef OPTIMIZER

// At the end of the file that defines make_<name>.
#define LF_OPTIMIZER_INSTANTIATE(name)                                             \
  template std::unique_ptr<Optimizer<float>> make_##name(const OptimizerOptions&); \
  template std::unique_ptr<Optimizer<double>> make_##name(const OptimizerOptions&);

inline double option(const OptimizerOptions& options, const char* key, double fallback) {
  return options ? options(key, fallback) : fallback;
}

// A number of 0 .. 1; `one` says whether 1 is among them.
inline double fraction_option(const OptimizerOptions& options, const char* optimizer,
                              const char* key, double fallback, bool one) {
  const double value = option(options, key, fallback);
  LF_CHECK(value >= 0 && (one ? value <= 1 : value < 1), "[" << optimizer << "] " << key << " is "
                                                             << value << "; expected 0 <= " << key
                                                             << (one ? " <= 1" : " < 1"));
  return value;
}

}  // namespace lstmfast::optim
