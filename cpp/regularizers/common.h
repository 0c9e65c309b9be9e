// What the regularizers share: the list, and the range of their factors. Knows no particular
// regularizer.
#pragma once

#include "regularizers/regularizer.h"

namespace lstmfast::regularizers {

using Family = base::Registry<Regularizer>;
using Component = Family::Component;

#define REGULARIZER(kind) Component kind();
#include "regularizers/regularizers.def"
#undef REGULARIZER

inline base::Option factor(const char* name, double fallback) {
  return base::number(name, fallback, base::at_least(0));
}

}  // namespace lstmfast::regularizers
