// The weights turned, as backward's products need them. Knows no steps.
#pragma once

#include "base/team.h"
#include "kernels/table.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// A packed matrix turned: its `columns` logical rows as panels of `nr` vectors.
template <class T>
struct Transposed {
  index columns = 0;
  int nr = 1;
  index panels = 0, panel_stride = 0;

  // depth: padded elements of a logical row.
  Transposed(index columns, index depth, index lanes, index parts = 1);
  index size() const { return panels * panel_stride; }
  index width(index lanes) const { return nr * lanes; }
  // out = dz times it, for rows of dz that lie [panel][row][G][V].
  kernels::Gemm<T> product(const LstmShape<T>& shape, const T* transposed, const T* dz,
                           index dz_panel_stride) const;
};

// All that backward needs turned, one behind the other in the workspace. parts: threads that want a
// panel each.
template <class T>
struct TransposedWeights {
  Transposed<T> recurrent, projection, input;

  TransposedWeights(const LstmShape<T>& shape, int parts, bool with_input);
  index projection_offset() const { return recurrent.size(); }
  index input_offset() const { return recurrent.size() + projection.size(); }
  index size() const { return input_offset() + input.size(); }
  // weights: the panels, or their copy with a mask in.
  void fill(const LstmShape<T>& shape, const T* block, const T* weights,
            base::team::Request threads, T* out) const;
};

}  // namespace lstmfast::ops
