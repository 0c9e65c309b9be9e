// Packed weight panels: where a logical matrix element lies, and conversion to and from the packed
// layout. Knows no layers.
//
// A packed block is [panel][row][group][lane]. For an LSTM row 0 is the bias, rows 1 .. I are W,
// the next H rows R, and the groups are the gates. For a general matrix row 0 is the bias and the
// groups are neighbouring vectors. The last panel may be a tail (kernels/args.h): its rows are
// shorter.
#pragma once

#include <algorithm>
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
  // Of the last panel where it is a tail; tail_lanes 0: it is not.
  index tail_first = 0, tail_row_stride = 0, tail_lanes = 0;
  // Leading rows whose groups are stored one place later, the last one first.
  index turned_rows = 0;
  index group_at(index row, index group) const {
    return row < turned_rows ? (group + 1) % groups : group;
  }

  // The part within a panel: `lanes` elements a group. Its rows are contiguous, with padding
  // between them that is always zero, in values and in gradients.
  struct Place {
    index first, row_stride, lanes;
  };
  Place place(index panel) const {
    if (tail_lanes > 0 && panel == panels - 1) return {tail_first, tail_row_stride, tail_lanes};
    return {first + panel * panel_stride, row_stride, lanes};
  }
  index run_length(index panel) const { return rows * place(panel).row_stride; }
};

// Neighbouring columns of a row that are neighbours in a panel too: from lane 0 of `group`, its
// place among the row's groups there.
struct PartRun {
  index row, panel, group, column, count;
};
template <class F>
void for_each_run(const PartLayout& part, F f) {
  for (index row = 0; row < part.rows; ++row) {
    for (index panel = 0; panel < part.panels; ++panel) {
      for (index group = 0; group < part.groups; ++group) {
        const index vector = part.gates ? panel : panel * part.groups + group;
        const index count = std::min(part.lanes, part.units - vector * part.lanes);
        if (count <= 0) continue;
        const index column = (part.gates ? group * part.units : 0) + vector * part.lanes;
        f(PartRun{row, panel, part.group_at(row, group), column, count});
      }
    }
  }
}

// A matrix as plain rows, without padding. A vector is a matrix of one row.
inline PartLayout plain_rows(index rows, index columns) {
  return {rows, columns, 1, columns, 0, 1, 0, columns, columns, false};
}

template <class T>
void import_part(const PartLayout& part, const T* logical, T* block);
template <class T>
void export_part(const PartLayout& part, const T* block, T* logical);

}  // namespace lstmfast::ops
