// The transposed weights for backward's products. Knows no steps.
#pragma once

#include "base/team.h"
#include "kernels/table.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// The transpose of a product's weights; without columns where it is not wanted.
template <class T>
struct TransposedGates : Transposed<T> {
  GateProduct of{};

  TransposedGates() : Transposed<T>(0, 0, 0) {}
  TransposedGates(const LstmShape<T>& shape, const GateProduct& product, int parts);
};

// The transposed matrices that backward needs, one after the other in one block. parts: threads
// that need a panel each.
template <class T>
struct TransposedWeights {
  TransposedGates<T> recurrent;
  Transposed<T> projection;
  TransposedGates<T> input, reset;

  TransposedWeights(const LstmShape<T>& shape, int parts, bool with_input);
  index projection_offset() const { return recurrent.size(); }
  index input_offset() const { return recurrent.size() + projection.size(); }
  index reset_offset() const { return input_offset() + input.size(); }
  index size() const { return reset_offset() + reset.size(); }
  // The product dz times `matrix`, one of these, that lies at `transposed`; dz is
  // [panel][row][kept][V].
  kernels::Gemm<T> product(const LstmShape<T>& shape, const TransposedGates<T>& matrix,
                           const T* transposed, const T* dz, index dz_panel_stride) const;
  // weights: the panels, or their masked copy.
  void fill(const LstmShape<T>& shape, const T* block, const T* weights,
            base::team::Request threads, T* out) const;
};

}  // namespace lstmfast::ops
