#include "constraints/constraint.h"

#include "constraints/common.h"

namespace lstmfast::constraints {
namespace {

// 0 or 1, or both as extents; -1 and -2 count from the last axis.
std::string normal_axis(base::Value& value) {
  const bool many = value.kind() == base::Value::Kind::extents;
  const base::Extents axes = many ? value.extents() : base::Extents{value.integer()};
  bool seen[2] = {};
  for (const index axis : axes) {
    const bool known = axis >= -2 && axis <= 1 && !std::exchange(seen[axis & 1], true);
    if (!known) return axis_option().expected;
  }
  if (axes.empty()) return axis_option().expected;
  value = axes.size() == 1 ? base::Value(axes[0]) : base::Extents{0, 1};
  return "";
}

}  // namespace

base::Option axis_option() {
  base::Option out = base::integer("axis", 0, -2, 1);
  out.takes |= base::kExtents;
  out.expected = "0, 1 or (0, 1)";
  out.normalise = normal_axis;
  return out;
}

NormOf norm_of(const base::Values& options, std::size_t rank) {
  const base::Value& axis = options["axis"];
  if (rank == 1) {
    const bool good = axis == base::Value(0) || axis == base::Value(-1);
    if (!good) options.fail("axis", "0 for a weight of one axis");
    return NormOf::row;  // a vector is a matrix of one row
  }
  if (axis.kind() == base::Value::Kind::extents) return NormOf::whole;
  return axis.integer() == 0 || axis.integer() == -2 ? NormOf::column : NormOf::row;
}

const base::Registry<Constraint, std::size_t>& registry() {
  static const base::Registry<Constraint, std::size_t> constraints("constraint", {
#define CONSTRAINT(kind) {#kind, #kind, kind()},
#include "constraints/constraints.def"
#undef CONSTRAINT
                                                                                 });
  return constraints;
}

}  // namespace lstmfast::constraints
