#include "constraints/constraint.h"

#include "constraints/common.h"

namespace lstmfast::constraints {

std::vector<std::string> constraint_names() {
  return {
#define CONSTRAINT(name) #name,
#include "constraints/constraints.def"
#undef CONSTRAINT
  };
}

template <class T>
std::unique_ptr<Constraint<T>> make_constraint(const std::string& name,
                                               const ConstraintOptions& options, NormOf norm_of) {
#define CONSTRAINT(known) \
  if (name == #known) return make_##known<T>(options, norm_of);
#include "constraints/constraints.def"
#undef CONSTRAINT
  std::string known;
  for (const std::string& one : constraint_names()) known += (known.empty() ? "" : ", ") + one;
  LF_FAIL("[constraint] unknown constraint '" << name << "'; known: " << known);
}

template std::unique_ptr<Constraint<float>> make_constraint(const std::string&,
                                                            const ConstraintOptions&, NormOf);
template std::unique_ptr<Constraint<double>> make_constraint(const std::string&,
                                                             const ConstraintOptions&, NormOf);

}  // namespace lstmfast::constraints
