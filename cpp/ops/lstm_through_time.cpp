#include "ops/lstm_through_time.h"

#include <algorithm>

namespace lstmfast::ops {
namespace {

using base::Range;

template <class T>
struct ThroughTime {
  const LstmShape<T>& shape;
  const T* block;
  const LstmCall<T>& call;
  const LstmGradients<T>& d;
  const TransposedWeights<T>& transposed;
  const Range steps;
  LstmWorkspace<T>& w;
  const LstmRows<T>& rows = w.rows;
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index turns = plan().turns;
  const bool finishes = finishes_h(shape.options);
  const bool projects = shape.options.projection > 0;
  // Whether the caches are too large for L2.
  const bool fetches = (w.gate_panel_stride + w.c_panel_stride) * shape.panels * index(sizeof(T)) >
                       4 * plan().l2;

  // Whether truncation cuts the gradients of the state before step k.
  bool cut(index k) const { return call.bptt_steps > 0 && k > 0 && k % call.bptt_steps == 0; }
  const T* dy() const { return w.held_dy ? w.held_dy : d.dy; }

  T* dv(index k) const { return w.dv + (projects ? w.cache_row(k) * w.dv_stride : 0); }

  // Computes dv of step k from dh, and w.dh_carry of the step before.
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
    h.v = w.v ? w.v + w.cache_row(k) * w.h_stride : call.y;
    h.v_offsets = w.v ? nullptr : rows.y_offsets + rows.first_row[k];
    h.v_stride = w.h_stride;
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
    kernels::Gemm<T> g = transposed.projection.product(
        w.transposed + transposed.projection_offset(), shape.outputs());
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.a = dv(k);
    g.a_stride = w.dv_stride;
    g.c = w.du;
    g.c_stride = w.u_stride;
    kernel.gemm(g);
  }

  // Sets once what is the same at every step.
  template <class Step>
  void prepare_cell(Step& s) const {
    s.hidden = shape.hidden;
    s.c_panel_stride = w.c_panel_stride;
    s.dy = finishes ? nullptr : dy();
    s.dcells = w.held_dcells ? w.held_dcells : d.dcells;
    s.dh = projects ? w.du : finishes ? w.dv : w.dh;
    s.dh_stride = projects ? w.u_stride : finishes ? w.dv_stride : w.h_stride;
    s.dc = w.dc;
    s.dc_panel_stride = w.dc_panel_stride;
    s.cell = cell_params(shape, block, w.clip_values);
  }
  template <class Step>
  void place_cell(Step& s, index k, Range mine, const index* dy_offsets) const {
    s.row0 = mine.begin;
    s.row1 = mine.end;
    s.c = w.c_after(k, shape.lanes);
    s.c_prev = w.c_prev(k, shape.lanes);
    s.reset = rows.reset_at(k);
    s.keep_c = w.mask_at(w.keep_c, k, w.u_stride);
    s.dy_offsets = dy_offsets;
    const index* offsets = w.held_dcells ? w.held_dcells_offsets : rows.cells_offsets;
    if (s.dcells) s.dcells_offsets = offsets + rows.first_row[k];
  }

  kernels::StepBackward<T> prepare_step(Range panels) const {
    kernels::StepBackward<T> s{};
    s.panel0 = panels.begin;
    s.panel1 = panels.end;
    s.gate_panel_stride = w.gate_panel_stride;
    s.fetches = fetches;
    prepare_cell(s);
    return s;
  }
  // Overwrites the gates of step k with dz, and computes dc of the step before.
  void cell_backward(kernels::StepBackward<T>& s, index k, Range mine,
                     const index* dy_offsets) const {
    place_cell(s, k, mine, dy_offsets);
    s.gates = w.gates + w.cache_row(k) * shape.kept_elements();
    s.rows_before = k > w.chunk_begin ? rows.active[k - 1] : 0;
    kernel.step_backward(s);
  }

  // Of a step with two phases: the gradient of r h from dz of the second, then dz of the first. s
  // is prepared by prepare_resets().
  kernels::StepBackward<T> prepare_resets(Range panels) const {
    kernels::StepBackward<T> s = prepare_step(panels);
    s.dy = nullptr;
    s.dh = w.dreset_h;
    s.dh_stride = w.h_stride;
    return s;
  }
  bool resets_backward(kernels::StepBackward<T>& s, index k, Range mine,
                       const LstmShare& share) const {
    if (!share.arrive_and_wait()) return false;
    const Range q = share.part(transposed.reset.panels);
    kernels::Gemm<T> g =
        transposed.product(shape, transposed.reset, w.transposed + transposed.reset_offset(),
                           w.gates + w.cache_row(k) * shape.kept_elements(), w.gate_panel_stride);
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.c = w.dreset_h;
    g.c_stride = w.h_stride;
    if (!mine.empty() && !q.empty()) kernel.gemm(g);
    if (!share.arrive_and_wait()) return false;
    if (mine.empty()) return true;
    if (w.recurrent_mask) s.recurrent = {recurrent_mask(k), w.h_stride};
    cell_backward(s, k, mine, nullptr);
    return true;
  }
  const T* recurrent_mask(index k) const {
    return w.recurrent_mask + (call.noise.recurrent_per_step ? w.cache_row(k) * w.h_stride : 0);
  }

  kernels::NormBackward<T> prepare_norm(int tid) const {
    kernels::NormBackward<T> n{};
    n.panels = shape.panels;
    n.z_panel_stride = w.gate_panel_stride;
    n.dnorm = w.dnorm;
    n.dnorm_row_stride = shape.panels * (2 * shape.gates + 2) * shape.lanes;
    n.scratch = w.norm_scratch + tid * w.norm_scratch_size;
    prepare_cell(n);
    return n;
  }
  void norm_backward(kernels::NormBackward<T>& n, index k, Range mine,
                     const index* dy_offsets) const {
    place_cell(n, k, mine, dy_offsets);
    n.z = w.gates + w.cache_row(k) * shape.kept_elements();
    n.stats = w.stats + w.cache_row(k) * (2 * shape.gates + 2);
    kernel.norm_backward(n);
  }

  void clear_dc(Range mine, Range panels) const {
    for (index p = panels.begin; w.dc && p < panels.end; ++p)
      std::fill_n(w.dc + p * w.dc_panel_stride + mine.begin * shape.lanes,
                  mine.size() * shape.lanes, T(0));
  }

  // The product of dz with R, of these panels of R transposed; the rows follow with each step.
  kernels::Gemm<T> prepare_product(Range q) const {
    kernels::Gemm<T> g =
        transposed.product(shape, transposed.recurrent, w.transposed, w.gates, w.gate_panel_stride);
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.c = w.dh;
    g.c_stride = w.h_stride;
    return g;
  }
  // Computes dh of the step before k through the product; 0 where a reset or truncation cuts it.
  void hidden_gradient(kernels::Gemm<T>& g, index k, Range mine) const {
    const index width = transposed.recurrent.width;
    const index begin = g.panel0 * width, end = std::min(g.panel1 * width, shape.outputs());
    if (begin >= end) return;
    const auto clear = [&](index r) {
      std::fill_n(w.dh + r * w.h_stride + begin, end - begin, T(0));
    };
    if (cut(k)) {
      for (index r = mine.begin; r < mine.end; ++r) clear(r);
      return;
    }
    g.a = w.gates + w.cache_row(k) * shape.kept_elements() +
          transposed.recurrent.of.kept * shape.lanes;
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.descending = turns & k;
    const bool fetches_before = fetches && k > w.chunk_begin;
    g.a_next = fetches_before ? -rows.active[k - 1] * shape.kept_elements() : 0;
    kernel.gemm(g);
    const unsigned char* reset = rows.reset_at(k);
    const index first = call.noise.recurrent_per_step ? w.cache_row(k) : 0;
    for (index r = mine.begin; (reset || w.recurrent_mask) && r < mine.end; ++r) {
      if (reset && reset[r]) {
        clear(r);
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
    kernels::StepBackward<T> step = prepare_step(share.panels);
    kernels::StepBackward<T> resets{};
    if (shape.two_phases()) {
      step.phase = 1;
      resets = prepare_resets(share.panels);
    }
    kernels::NormBackward<T> whole_rows{};
    if (norm) whole_rows = prepare_norm(share.tid);
    kernels::Gemm<T> product = prepare_product(q);
    base::InterruptPoint point;
    const double row_flops = shape.flops();
    for (index k = steps.end - 1; k >= steps.begin; --k) {
      const Range mine = active_rows(rows, share.rows, k);
      const Range cell_rows = norm ? active_rows(rows, share.whole_rows, k) : mine;
      // Gradients of held outputs are packed, others are laid out as y.
      const index* const dy_offsets =
          (w.held_dy ? w.held_dy_offsets : rows.y_offsets) + rows.first_row[k];
      if (finishes) {
        const Range last = projects ? mine : cell_rows;
        if (!last.empty() && !units.empty()) hidden_backward(k, last, units, dy_offsets);
        if (projects) {
          if (!share.arrive_and_wait()) return;
          if (!mine.empty() && !u.empty()) projection_backward(k, mine, u);
          if (!share.arrive_and_wait()) return;
        }
      }
      if (!cell_rows.empty()) {
        norm ? norm_backward(whole_rows, k, cell_rows, dy_offsets)
             : cell_backward(step, k, cell_rows, dy_offsets);
      }
      if (shape.two_phases() && !resets_backward(resets, k, mine, share)) return;
      if (!cell_rows.empty()) {
        if (cut(k)) clear_dc(cell_rows, norm ? Range{0, shape.panels} : share.panels);
      }
      if (k == 0 && !d.dh0) break;
      if (!share.arrive_and_wait()) return;
      if (!q.empty())
        point.in_blocks(mine, row_flops, [&](Range part) { hidden_gradient(product, k, part); });
      if (!share.arrive_and_wait()) return;
    }
  }
};

}  // namespace

template <class T>
void through_time(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                  const LstmGradients<T>& gradients, const TransposedWeights<T>& transposed,
                  Range steps, LstmWorkspace<T>& w) {
  const ThroughTime<T> back{shape, block, call, gradients, transposed, steps, w};
  w.sharing.run(shape, w.rows, steps, 2, [&](const LstmShare& share) { back.run(share); });
}

template decltype(through_time<float>) through_time<float>;
template decltype(through_time<double>) through_time<double>;

}  // namespace lstmfast::ops
