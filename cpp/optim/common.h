// What the optimizers share: the list, and the option that all have. Knows no particular optimizer.
#pragma once

#include "optim/optimizer.h"

namespace lstmfast::optim {

using Family = base::Registry<Optimizer>;
using Component = Family::Component;

#define OPTIMIZER(kind) Component kind();
#include "kernels/optimizers.def"

inline base::Option learning_rate(double fallback) {
  return base::number("learning_rate", fallback, base::at_least(0));
}

}  // namespace lstmfast::optim
