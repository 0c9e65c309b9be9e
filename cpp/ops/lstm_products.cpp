#include "ops/lstm_products.h"

#include <algorithm>

namespace lstmfast::ops {
namespace {

// Where x W and h R are apart, h R begins with its own bias: added to the sums of both, and the
// first of the candidate's part.
template <class T>
void begin_recurrent(const LstmShape<T>& shape, const kernels::StepForward<T>& s) {
  const index V = shape.lanes, both = (shape.gates - 1) * V;
  for (index p = s.panel0; p < s.panel1; ++p) {
    const T* const bias = s.weights + p * s.weight_panel_stride + shape.row_elements();
    for (index r = s.row0; r < s.row1; ++r) {
      T* const z = s.z + p * s.z_panel_stride + r * shape.kept_elements() + V;
      for (index i = 0; i < both; ++i) z[i] += bias[i];
      std::copy_n(bias + both, V, z + both);
    }
  }
}

}  // namespace

template <class T>
index reduced_room(const LstmShape<T>& shape, index input_rows, index rows) {
  index room =
      std::max(shape.reduced_input().room(input_rows), shape.reduced_recurrent().room(rows));
  if (shape.options.projection > 0) room = std::max(room, shape.projection().reduced().room(rows));
  return room;
}

template <class T>
void set_reduced(const LstmShape<T>& shape, const unsigned char* weights, unsigned char* scratch,
                 index input_rows, index rows, kernels::StepForward<T>& s) {
  s.of_input = shape.reduced_input().operand(weights, scratch, input_rows);
  s.of_recurrent =
      shape.reduced_recurrent().operand(weights + shape.recurrent_byte(), scratch, rows);
}

template <class T>
void add_recurrent(const LstmShape<T>& shape, const kernels::StepForward<T>& s) {
  const bool int8 = shape.precision == Precision::int8;
  if (shape.apart() && !int8) begin_recurrent(shape, s);
  if (s.h_prev == nullptr && !int8) return;
  const GateProduct of_hidden = s.phase == 0 ? shape.of_hidden() : shape.of_reset();
  kernels::Gemm<T> g = gate_product(shape, of_hidden, s.weights, {s.panel0, s.panel1});
  g.row0 = s.row0;
  g.row1 = s.row1;
  g.descending = s.descending;
  g.a = s.h_prev;
  g.a_stride = s.h_prev_stride;
  if (s.h_prev == nullptr) g.segment = 0;  // what is left is to scale x W
  g.accumulate = true;
  g.c = s.z + of_hidden.kept * shape.lanes;
  g.c_panel_stride = s.z_panel_stride;
  g.reduced = s.of_recurrent;
  g.reduced.first = of_hidden.first;
  if (g.bias != nullptr) g.bias += of_hidden.first * shape.lanes;
  if constexpr (sizeof(T) == sizeof(float)) {
    if (int8 && shape.apart()) {
      g.bias = s.weights + shape.row_elements();
      g.reduced.fresh = 1;
      g.reduced.more_bias = s.weights + shape.lanes;  // of x W, whose gates stand one later
    }
  }
  multiply(g);
}

#define LF_INSTANTIATE(T)                                                                     \
  template index reduced_room(const LstmShape<T>&, index, index);                             \
  template void set_reduced(const LstmShape<T>&, const unsigned char*, unsigned char*, index, \
                            index, kernels::StepForward<T>&);                                 \
  template void add_recurrent(const LstmShape<T>&, const kernels::StepForward<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
