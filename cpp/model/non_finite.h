// Which values of the caller's made a step go wrong: text for its error. Knows no training.
#pragma once

#include <string>
#include <vector>

#include "model/data.h"

namespace lstmfast::model {

// What the user calls them.
struct ArrayNames {
  std::string x = "x", y = "y", weights = "sample_weight";
};

// "; x[7, 2, 0] is nan (row 7, step 2)": the first value that is infinite or NaN, for each of the
// arrays x, y and sample_weight that holds one; targets of weight 0 may be anything. Looks at the
// samples order[0 .. count), or from `first` on where order is null. `rows`: of one sample's
// prediction, by output. Where there are several inputs or outputs, names are numbered: "x[1]".
template <class T>
std::string non_finite_text(const Examples<T>& data, const std::vector<index>& rows,
                            const index* order, index first, index count,
                            const ArrayNames& names = {});

}  // namespace lstmfast::model
