#include "constraints/constraint.h"

#include "constraints/common.h"

namespace lstmfast::constraints {
const base::Registry<Constraint, std::size_t>& registry() {
  static const base::Registry<Constraint, std::size_t> constraints("constraint", {
#define CONSTRAINT(kind) {#kind, #kind, kind()},
#include "constraints/constraints.def"
#undef CONSTRAINT
                                                                                 });
  return constraints;
}

}  // namespace lstmfast::constraints
