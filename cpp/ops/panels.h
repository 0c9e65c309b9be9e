// Packed weight panels: where a logical matrix element lies, and the way in and out. Knows no
// layers.
//
// A packed block is [panel][row][group][lane]. For an LSTM row 0 is the bias, rows 1 .. I are W,
// the next H rows R, and the groups are the gates. For a general matrix row 0 is the bias and the
// groups are neighbouring vectors.
#pragma once

#include <vector>

#include "base/plain.h"

namespace lstmfast::ops {

// A part of a packed block as a logical [rows][columns] row-major matrix.
struct PartLayout {
  index rows, columns;  // logical shape
  index groups, units;  // columns = groups * units for gates; units = columns for a general matrix
  index first;          // element where the part's first row starts in panel 0
  index panels, panel_stride, row_stride;  // row_stride = groups * lanes
  index lanes;
  bool gates;  // true: column = group * units + unit; false: column = (panel * groups + group) *
               // lanes + lane

  // Contiguous runs of the part within the block: `panels` runs of rows * row_stride elements,
  // panel_stride apart. Padding lies inside the runs and is always zero, in values and in
  // gradients.
  index run_length() const { return rows * row_stride; }
};

template <class T>
void import_part(const PartLayout& part, const T* logical, T* block);
template <class T>
void export_part(const PartLayout& part, const T* block, T* logical);

}  // namespace lstmfast::ops
