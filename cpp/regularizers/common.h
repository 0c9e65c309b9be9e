// What the regularizers share: the list's makers, and reading options. Knows no particular
// regularizer.
#pragma once

#include <cmath>

#include "base/check.h"
#include "regularizers/regularizer.h"

namespace lstmfast::regularizers {

#define REGULARIZER(name) \
  template <class T>      \
  std::unique_ptr<Regularizer<T>> make_##name(const RegularizerOptions& options);
#include "regularizers/regularizers.def"
#undef REGULARIZER

// At the end of the file that defines make_<name>.
#define LF_REGULARIZER_INSTANTIATE(name)                                               \
  template std::unique_ptr<Regularizer<float>> make_##name(const RegularizerOptions&); \
  template std::unique_ptr<Regularizer<double>> make_##name(const RegularizerOptions&);

inline double option(const RegularizerOptions& options, const char* regularizer, const char* key,
                     double fallback) {
  const double value = options ? options(key, fallback) : fallback;
  LF_CHECK(std::isfinite(value) && value >= 0,
           "[" << regularizer << "] " << key << " is " << value << "; expected 0 or more");
  return value;
}

}  // namespace lstmfast::regularizers
