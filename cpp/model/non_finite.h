// Finds the values in the caller's data that are not finite, for the error of a failed step. Knows
// no training.
#pragma once

#include <string>

#include "model/data.h"

namespace lstmfast::model {

// The names of the arrays in errors.
struct ArrayNames {
  std::string x = "x", y = "y", weights = "sample_weight";
};

// "; x[7, 2, 0] is nan (row 7, step 2)": the first value that is infinite or NaN, for each of the
// arrays x, y and sample_weight that has one; targets of weight 0 are skipped. Searches the samples
// order[0 .. count), or from `first` on if order is null. `outputs`: the shapes of one sample's
// predictions. With several inputs or outputs, names are numbered: "x[1]".
template <class T>
std::string non_finite_text(const Examples<T>& data, const layers::Shapes& outputs,
                            const index* order, index first, index count,
                            const ArrayNames& names = {});

}  // namespace lstmfast::model
