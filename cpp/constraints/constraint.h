// A constraint: what a weight is made to satisfy after each step of the optimizer, by Keras's
// formulas. Knows the packed layout, no layers and no training.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/panels.h"

namespace lstmfast::constraints {

// Of what each norm is, in a weight's logical matrix. A vector is a matrix of one row.
enum class NormOf { column, row, whole };

template <class T>
class Constraint {
 public:
  virtual ~Constraint() = default;

  // Changes the part of the packed block in place. Padding is zero and stays so.
  virtual void apply(const ops::PartLayout& part, T* block) const = 0;
};

// The number under `key` in the constraint's configuration, or the fallback where it has none.
using ConstraintOptions = std::function<double(const char* key, double fallback)>;

// The constraint of that name; `norm_of` matters to those that have norms. Throws
// std::invalid_argument listing the known names, or naming an option out of range.
template <class T>
std::unique_ptr<Constraint<T>> make_constraint(const std::string& name,
                                               const ConstraintOptions& options = nullptr,
                                               NormOf norm_of = NormOf::column);

// In the order of constraints.def.
std::vector<std::string> constraint_names();

}  // namespace lstmfast::constraints
