// What the constraints share: the list. Knows no particular constraint.
#pragma once

#include "constraints/constraint.h"

namespace lstmfast::constraints {

using Family = base::Registry<Constraint, std::size_t>;
using Component = Family::Component;

#define CONSTRAINT(kind) Component kind();
#include "constraints/constraints.def"
#undef CONSTRAINT

}  // namespace lstmfast::constraints
