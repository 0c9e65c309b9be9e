// The transposed weights for backward's products. Knows no steps.
#pragma once

#include "base/team.h"
#include "kernels/table.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// The transposed matrices that backward needs, one after the other in one block. parts: threads
// that need a panel each.
template <class T>
struct TransposedWeights {
  Transposed<T> recurrent, projection, input;

  TransposedWeights(const LstmShape<T>& shape, int parts, bool with_input);
  index projection_offset() const { return recurrent.size(); }
  index input_offset() const { return recurrent.size() + projection.size(); }
  index size() const { return input_offset() + input.size(); }
  // The product dz times `matrix`, one of these, that lies at `transposed`; dz is
  // [panel][row][G][V].
  kernels::Gemm<T> product(const LstmShape<T>& shape, const Transposed<T>& matrix,
                           const T* transposed, const T* dz, index dz_panel_stride) const;
  // weights: the panels, or their masked copy.
  void fill(const LstmShape<T>& shape, const T* block, const T* weights,
            base::team::Request threads, T* out) const;
};

}  // namespace lstmfast::ops
