#include "ops/lstm_through_time.h"

#include <algorithm>

namespace lstmfast::ops {
namespace {

using base::Range;

template <class T>
index padded_depth(const LinearShape<T>& s) {
  return s.panels * s.groups * s.lanes;
}

template <class T>
struct ThroughTime {
  const LstmShape<T>& shape;
  const T* block;
  const LstmCall<T>& call;
  const LstmGradients<T>& d;
  const TransposedWeights<T>& transposed;
  LstmWorkspace<T>& w;
  const LstmRows<T>& rows = w.rows;
  const kernels::Table<T>& kernel = kernels::table<T>();
  const bool finishes = finishes_h(shape.options);
  const bool projects = shape.options.projection > 0;

  // The state before step k is no way further back.
  bool cut(index k) const { return call.bptt_steps > 0 && k > 0 && k % call.bptt_steps == 0; }
  const T* dy() const { return w.held_dy ? w.held_dy : d.dy; }

  T* dv(index k) const { return w.dv + (projects ? w.cache_row(k) * w.dv_stride : 0); }

  // dv of step k from dh; w.dh_carry of the step before.
  void hidden_backward(index k, Range mine, Range units, const index* dy_offsets) const {
    kernels::HiddenBackward<T> h{};
    h.row0 = mine.begin;
    h.row1 = mine.end;
    h.unit0 = units.begin;
    h.unit1 = units.end;
    h.clip = shape.options.proj_clip;
    h.rate = shape.options.zoneout_h;
    h.dh_in = w.dh;
    h.dh_carry = w.dh_carry;
    h.stride = w.h_stride;
    h.reset = rows.reset_at(k);
    h.dy = dy();
    h.dy_offsets = dy_offsets;
    h.y = call.y;
    h.y_offsets = rows.y_offsets + rows.first_row[k];
    h.keep = w.mask_at(w.keep_h, k, w.h_stride);
    h.dv = dv(k);
    h.dv_stride = w.dv_stride;
    kernel.hidden_backward(h);
    if (!cut(k)) return;
    for (index r = mine.begin; r < mine.end; ++r)
      std::fill(w.dh_carry + r * w.h_stride + units.begin, w.dh_carry + r * w.h_stride + units.end,
                T(0));
  }

  // du = dv P'.
  void projection_backward(index k, Range mine, Range q) const {
    const Transposed<T>& t = transposed.projection;
    kernels::Gemm<T> g{};
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.nr = t.nr;
    g.a = dv(k);
    g.a_stride = w.dv_stride;
    g.segments = 1;
    g.segment = shape.outputs();
    g.b = w.transposed + transposed.projection_offset();
    g.b_panel_stride = t.panel_stride;
    g.c = w.du;
    g.c_stride = w.u_stride;
    g.c_panel_stride = t.width(shape.lanes);
    g.columns = shape.hidden;
    kernel.gemm(g);
  }

  template <class Step>
  void fill_cell_step(Step& s, index k, const index* dy_offsets) const {
    s.hidden = shape.hidden;
    s.c = w.c_after(k, shape.lanes);
    s.c_prev = w.c_prev(k, shape.lanes);
    s.c_panel_stride = w.c_panel_stride;
    s.reset = rows.reset_at(k);
    s.keep_c = w.mask_at(w.keep_c, k, w.unit_stride);
    s.dy = finishes ? nullptr : dy();
    s.dy_offsets = dy_offsets;
    s.dcells = w.held_dcells ? w.held_dcells : d.dcells;
    const index* offsets = w.held_dcells ? w.held_dcells_offsets : rows.cells_offsets;
    s.dcells_offsets = s.dcells ? offsets + rows.first_row[k] : nullptr;
    s.dh = projects ? w.du : finishes ? w.dv : w.dh;
    s.dh_stride = projects ? w.u_stride : finishes ? w.dv_stride : w.h_stride;
    s.dc = w.dc;
    s.dc_panel_stride = w.dc_panel_stride;
    s.cell = cell_params(shape, block, w);
  }

  // dz of step k over its gates; dc of the step before.
  void cell_backward(index k, Range mine, Range panels, const index* dy_offsets) const {
    kernels::StepBackward<T> s{};
    s.row0 = mine.begin;
    s.row1 = mine.end;
    s.panel0 = panels.begin;
    s.panel1 = panels.end;
    s.gates = w.gates + w.cache_row(k) * shape.row_elements();
    s.gate_panel_stride = w.gate_panel_stride;
    fill_cell_step(s, k, dy_offsets);
    kernel.step_backward(s);
  }

  void norm_backward(index k, Range mine, int tid, const index* dy_offsets) const {
    const index G = shape.gates, V = shape.lanes;
    kernels::NormBackward<T> n{};
    n.row0 = mine.begin;
    n.row1 = mine.end;
    n.panels = shape.panels;
    n.z = w.gates + w.cache_row(k) * shape.row_elements();
    n.z_panel_stride = w.gate_panel_stride;
    n.stats = w.stats + w.cache_row(k) * (2 * G + 2);
    n.dnorm = w.dnorm;
    n.dnorm_row_stride = shape.panels * (2 * G + 2) * V;
    n.scratch = w.norm_scratch + tid * w.norm_scratch_size;
    fill_cell_step(n, k, dy_offsets);
    kernel.norm_backward(n);
  }

  void forget_c(Range mine, Range panels) const {
    for (index p = panels.begin; p < panels.end; ++p)
      std::fill_n(w.dc + p * w.dc_panel_stride + mine.begin * shape.lanes,
                  mine.size() * shape.lanes, T(0));
  }

  // dh of the step before k through the product; a reset at k cuts it off.
  void hidden_gradient(index k, Range mine, Range q) const {
    const Transposed<T>& t = transposed.recurrent;
    const index width = t.width(shape.lanes);
    const index begin = q.begin * width, end = std::min(q.end * width, shape.outputs());
    if (begin >= end) return;
    const auto forget = [&](index r) {
      std::fill_n(w.dh + r * w.h_stride + begin, end - begin, T(0));
    };
    if (cut(k)) {
      for (index r = mine.begin; r < mine.end; ++r) forget(r);
      return;
    }
    kernels::Gemm<T> g = t.product(
        shape, w.transposed, w.gates + w.cache_row(k) * shape.row_elements(), w.gate_panel_stride);
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.c = w.dh;
    g.c_stride = w.h_stride;
    kernel.gemm(g);
    const unsigned char* reset = rows.reset_at(k);
    const index first = call.noise.recurrent_per_step ? w.cache_row(k) : 0;
    for (index r = mine.begin; (reset || w.recurrent_mask) && r < mine.end; ++r) {
      if (reset && reset[r]) {
        forget(r);
      } else if (w.recurrent_mask) {
        T* dh = w.dh + r * w.h_stride + begin;
        kernel.pointwise({kernels::PointwiseOp::multiply, end - begin, 0, 0, dh,
                          w.recurrent_mask + (first + r) * w.h_stride + begin, dh});
      }
    }
  }

  void run(const LstmShare& share) const {
    const bool norm = shape.options.layer_norm;
    const index V = shape.lanes, O = shape.outputs(), vectors = (O + V - 1) / V;
    const Range q = share.part(transposed.recurrent.panels);
    const Range u = share.part(transposed.projection.panels);
    Range units{share.panels.begin * V, std::min(share.panels.end * V, O)};
    if (norm) units = {0, O};
    if (projects) {
      const Range mine = share.part(vectors);
      units = {mine.begin * V, std::min(mine.end * V, O)};
    }
    for (index k = w.chunk_end - 1; k >= w.chunk_begin; --k) {
      const Range mine = active_rows(rows, share.rows, k);
      const Range cell_rows = norm ? active_rows(rows, share.whole_rows, k) : mine;
      // Gradients for held outputs are packed, others lie as y.
      const index* const dy_offsets =
          (w.held_dy ? w.held_dy_offsets : rows.y_offsets) + rows.first_row[k];
      if (finishes) {
        const Range last = projects ? mine : cell_rows;
        if (!last.empty() && !units.empty()) hidden_backward(k, last, units, dy_offsets);
        if (projects) {
          share.meet();
          if (!mine.empty() && !u.empty()) projection_backward(k, mine, u);
          share.meet();
        }
      }
      if (!cell_rows.empty()) {
        norm ? norm_backward(k, cell_rows, share.tid, dy_offsets)
             : cell_backward(k, cell_rows, share.panels, dy_offsets);
        if (cut(k)) forget_c(cell_rows, norm ? Range{0, shape.panels} : share.panels);
      }
      if (k == 0 && !d.dh0) break;
      share.meet();
      if (!mine.empty() && !q.empty()) hidden_gradient(k, mine, q);
      share.meet();
    }
  }
};

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
                                int threads, T* out) const {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index row = shape.row_elements();
  const auto turn = [&](const Transposed<T>& to, kernels::TransposePanels<T> t) {
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
  t.w_panel_stride = shape.panel_stride();
  t.w = weights + (1 + shape.input) * row;
  t.out = out;
  turn(recurrent, t);
  if (input.columns > 0) {
    t.w = weights + row;
    t.out = out + input_offset();
    turn(input, t);
  }
  if (projection.columns == 0) return;
  const LinearShape<T> s = shape.projection();
  t.panels = s.panels;
  t.gates = s.groups;
  t.w_panel_stride = (1 + s.inputs) * s.groups * s.lanes;
  t.w = block + shape.projection_offset() + s.groups * s.lanes;
  t.out = out + projection_offset();
  turn(projection, t);
}

template <class T>
void through_time(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                  const LstmGradients<T>& gradients, const TransposedWeights<T>& transposed,
                  const LstmSharing& sharing, LstmWorkspace<T>& w) {
  const ThroughTime<T> steps{shape, block, call, gradients, transposed, w};
  sharing.run(shape, w.rows, [&](const LstmShare& share) { steps.run(share); });
}

#define LF_INSTANTIATE(T)                                                          \
  template struct Transposed<T>;                                                   \
  template struct TransposedWeights<T>;                                            \
  template void through_time(const LstmShape<T>&, const T*, const LstmCall<T>&,    \
                             const LstmGradients<T>&, const TransposedWeights<T>&, \
                             const LstmSharing&, LstmWorkspace<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
