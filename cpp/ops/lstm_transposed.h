// The transposed weights for backward's products. Knows no steps.
#pragma once

#include "base/team.h"
#include "kernels/table.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// A transposed packed matrix: its `columns` logical rows as panels of `nr` vectors.
template <class T>
struct Transposed {
  index columns = 0;
  int nr = 1;
  index panels = 0, panel_stride = 0;

  // depth: padded elements of a logical row.
  Transposed(index columns, index depth, index lanes, index parts = 1);
  index size() const { return panels * panel_stride; }
  index width(index lanes) const { return nr * lanes; }
  // The product dz times this matrix, for dz [panel][row][G][V].
  kernels::Gemm<T> product(const LstmShape<T>& shape, const T* transposed, const T* dz,
                           index dz_panel_stride) const;
};

// The transposed matrices that backward needs, one after the other in one block. parts: threads
// that need a panel each.
template <class T>
struct TransposedWeights {
  Transposed<T> recurrent, projection, input;

  TransposedWeights(const LstmShape<T>& shape, int parts, bool with_input);
  index projection_offset() const { return recurrent.size(); }
  index input_offset() const { return recurrent.size() + projection.size(); }
  index size() const { return input_offset() + input.size(); }
  // weights: the panels, or their masked copy.
  void fill(const LstmShape<T>& shape, const T* block, const T* weights,
            base::team::Request threads, T* out) const;
};

}  // namespace lstmfast::ops
