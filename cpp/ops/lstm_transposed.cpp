#include "ops/lstm_transposed.h"

#include <algorithm>

#include "ops/plan.h"

namespace lstmfast::ops {

template <class T>
TransposedGates<T>::TransposedGates(const LstmShape<T>& shape, const GateProduct& product,
                                    int parts)
    : Transposed<T>(product.rows, shape.panels * product.gates * shape.lanes, shape.lanes, parts),
      of(product) {}

template <class T>
TransposedWeights<T>::TransposedWeights(const LstmShape<T>& s, int parts, bool with_input)
    : recurrent(s, s.of_hidden(), parts),
      projection(s.options.projection > 0 ? s.hidden : 0,
                 s.options.projection > 0 ? s.projection().padded_outputs() : 0, s.lanes, parts) {
  if (with_input) input = {s, s.of_input(), 1};
  if (s.two_phases()) reset = {s, s.of_reset(), parts};
}

template <class T>
kernels::Gemm<T> TransposedWeights<T>::product(const LstmShape<T>& shape,
                                               const TransposedGates<T>& matrix,
                                               const T* transposed, const T* dz,
                                               index dz_panel_stride) const {
  const index segment = matrix.of.gates * shape.lanes;
  kernels::Gemm<T> g = matrix.product(transposed, segment);
  g.a = dz + matrix.of.kept * shape.lanes;
  g.a_stride = shape.kept_elements();
  g.segments = shape.panels;
  g.segment_stride = dz_panel_stride;
  const index segment_bytes = segment * matrix.width * index(sizeof(T));
  g.rest = std::max<index>(1, plan().l2 / 4 / segment_bytes);
  if (g.rest >= g.segments) g.rest = 0;
  // Shorter runs for the last panel pay where they save a quarter of the segment.
  const index units = shape.hidden % shape.lanes;
  if (units <= shape.lanes * 3 / 4) g.last_units = units;
  LF_ASSERT(shape.tail.units == 0 || g.last_units > 0);  // of a tail, fill() leaves out the others
  g.fetches = shape.exceeds_caches();
  return g;
}

template <class T>
void TransposedWeights<T>::fill(const LstmShape<T>& shape, const T* block, const T* weights,
                                base::team::Request threads, T* out) const {
  const auto from = [&](const GateProduct& product) {
    kernels::TransposePanels<T> t{};
    t.panels = shape.panels;
    t.gates = product.gates;
    t.tail = shape.tail;
    t.w = weights + product.row * shape.row_elements() + product.first * shape.lanes;
    t.w_panel_stride = shape.panel_stride();
    t.w_row = shape.row_elements();
    t.tail_w = weights + (shape.panels - 1) * shape.panel_stride() + product.row * shape.tail_row();
    return t;
  };
  recurrent.fill(from(recurrent.of), threads, out);
  if (input.columns > 0) input.fill(from(input.of), threads, out + input_offset());
  if (reset.columns > 0) reset.fill(from(reset.of), threads, out + reset_offset());
  if (projection.columns == 0) return;
  projection.fill(shape.projection().panels_of(block + shape.projection_offset()), threads,
                  out + projection_offset());
}

template struct TransposedGates<float>;
template struct TransposedGates<double>;
template struct TransposedWeights<float>;
template struct TransposedWeights<double>;

}  // namespace lstmfast::ops
