#include "ops/lstm_transposed.h"

#include <algorithm>

#include "base/cache_sizes.h"
#include "base/team.h"
#include "ops/plan.h"

namespace lstmfast::ops {
namespace {

template <class T>
index padded_depth(const LinearShape<T>& s) {
  return s.panels * s.groups * s.lanes;
}

}  // namespace

template <class T>
Transposed<T>::Transposed(index columns_, index depth, index lanes, index parts)
    : columns(columns_) {
  if (columns == 0) return;
  nr = panel_vectors(columns, lanes, parts);
  panels = (columns + nr * lanes - 1) / (nr * lanes);
  panel_stride = depth * nr * lanes;
}

template <class T>
kernels::Gemm<T> Transposed<T>::product(const LstmShape<T>& shape, const T* transposed, const T* dz,
                                        index dz_panel_stride) const {
  kernels::Gemm<T> g{};
  g.panel1 = panels;
  g.nr = nr;
  g.a = dz;
  g.a_stride = shape.row_elements();
  g.segments = shape.panels;
  g.segment = shape.row_elements();
  g.segment_stride = dz_panel_stride;
  const index segment_bytes = shape.row_elements() * width(shape.lanes) * index(sizeof(T));
  g.rest = std::max<index>(1, base::cache_sizes().l2 / 4 / segment_bytes);
  if (g.rest >= g.segments) g.rest = 0;
  // Shorter runs for the last panel pay where they save a quarter of the segment.
  const index units = shape.hidden % shape.lanes;
  if (units <= shape.lanes * 3 / 4) g.last_units = units;
  LF_ASSERT(shape.tail.units == 0 || g.last_units > 0);  // of a tail, fill() leaves out the others
  g.fetches = shape.exceeds_caches();
  g.b = transposed;
  g.b_panel_stride = panel_stride;
  g.c_panel_stride = width(shape.lanes);
  g.columns = columns;
  return g;
}

template <class T>
TransposedWeights<T>::TransposedWeights(const LstmShape<T>& s, int parts, bool with_input)
    : recurrent(s.outputs(), s.panels * s.row_elements(), s.lanes, parts),
      projection(s.options.projection > 0 ? s.hidden : 0,
                 s.options.projection > 0 ? padded_depth(s.projection()) : 0, s.lanes, parts),
      input(with_input ? s.input : 0, s.panels * s.row_elements(), s.lanes) {}

template <class T>
void TransposedWeights<T>::fill(const LstmShape<T>& shape, const T* block, const T* weights,
                                base::team::Request threads, T* out) const {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const auto transpose = [&](const Transposed<T>& to, kernels::TransposePanels<T> t) {
    t.k = to.columns;
    t.nr = to.nr;
    t.out_panel_stride = to.panel_stride;
    base::team::parallel_for(threads, to.panels, 1, [&](index begin, index end) {
      kernels::TransposePanels<T> part = t;
      part.q0 = begin;
      part.q1 = end;
      kernel.transpose_panels(part);
    });
  };
  kernels::TransposePanels<T> t{};
  t.panels = shape.panels;
  t.gates = shape.gates;
  t.tail = shape.tail;
  // From row `first` of each panel on.
  const auto from = [&](index first) {
    t.w = weights + first * shape.row_elements();
    t.w_panel_stride = shape.panel_stride();
    t.tail_w = weights + (shape.panels - 1) * shape.panel_stride() + first * shape.tail_row();
  };
  from(1 + shape.input);
  t.out = out;
  transpose(recurrent, t);
  if (input.columns > 0) {
    from(1);
    t.out = out + input_offset();
    transpose(input, t);
  }
  if (projection.columns == 0) return;
  const LinearShape<T> s = shape.projection();
  t.panels = s.panels;
  t.tail = {};
  t.gates = s.groups;
  t.w_panel_stride = (1 + s.inputs) * s.groups * s.lanes;
  t.w = block + shape.projection_offset() + s.groups * s.lanes;
  t.out = out + projection_offset();
  transpose(projection, t);
}

template struct Transposed<float>;
template struct Transposed<double>;
template struct TransposedWeights<float>;
template struct TransposedWeights<double>;

}  // namespace lstmfast::ops
