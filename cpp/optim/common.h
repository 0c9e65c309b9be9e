// What the optimizers share: the list, and the options that all have. Knows no particular
// optimizer.
#pragma once

#include <utility>
#include <vector>

#include "optim/optimizer.h"

namespace lstmfast::optim {

using Family = base::Registry<Optimizer>;
using Component = Family::Component;

#define OPTIMIZER(kind) Component kind();
#include "optim/optimizers.def"

base::Option learning_rate(double fallback);

// The learning rate, an optimizer's own options, and those that all have.
base::OptionTable options(double learning_rate, std::vector<base::Option> own,
                          base::Fallback weight_decay = base::none());

}  // namespace lstmfast::optim
