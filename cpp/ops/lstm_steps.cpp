#include "ops/lstm_steps.h"

#include <algorithm>
#include <optional>

#include "ops/lstm_products.h"
#include "ops/lstm_straight_steps.h"

namespace lstmfast::ops {
namespace {

using base::Range;

template <class T>
struct Steps {
  const LstmShape<T>& shape;
  const T* block;  // of parameters; `weights`: its panels, or their masked copy
  const T* weights;
  const LstmCall<T>& call;
  LstmWorkspace<T>& w;
  const LstmRows<T>& rows = w.rows;
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index turns = plan().turns;

  // Lets g read x of the packed rows from the first of step k on.
  void read_input(kernels::Gemm<T>& g, index k) const {
    g.a = w.x ? w.x + w.cache_row(k) * shape.input : call.x;
    g.a_offsets = w.x ? nullptr : rows.x_offsets + rows.first_row[k];
    g.a_stride = shape.input;
  }

  // The row of z for slot 0 at step k. Threads that share rows may be in different blocks of steps
  // at a time, where one packed row of z may belong to different slots if rows end early; hence
  // padded_steps, with which a slot has a row of its own.
  index z_row(index k, index block_begin) const {
    if (w.training) return w.cache_row(k);
    return w.padded_steps ? (k - block_begin) * rows.batch
                          : rows.first_row[k] - rows.first_row[block_begin];
  }

  // A product into z of whole panels or of the tail.
  kernels::Gemm<T> product(const GateProduct& of, Range panels, bool tail) const {
    kernels::Gemm<T> g = gate_product(shape, of, weights, panels, tail);
    g.c = w.gates;
    g.c_panel_stride = w.gate_panel_stride;
    return g;
  }
  // The scratch of a thread in reduced precision.
  unsigned char* reduced_scratch(int tid) const { return w.reduced_scratch + tid * w.reduced_size; }

  // z = b + x W for the rows of steps k0 .. k1. `s`: of these panels.
  void project_input(index k0, index k1, const LstmShare& share,
                     const kernels::StepForward<T>& s) const {
    Range whole = share.panels;
    if (!whole.empty() && whole.end - 1 == shape.tail_panel()) {
      --whole.end;
      project_rows(product(shape.of_input(), {whole.end, whole.end + 1}, true), k0, k1, share);
    }
    if (whole.empty()) return;
    kernels::Gemm<T> g = product(shape.of_input(), whole, false);
    g.reduced = s.of_input;
    g.reduced.scaled = shape.scaled_input();
    project_rows(g, k0, k1, share);
  }
  void project_rows(kernels::Gemm<T> g, index k0, index k1, const LstmShare& share) const {
    if (!w.padded_steps && share.rows.begin == 0 && share.rows.end == rows.batch) {
      read_input(g, k0);
      g.c = w.gates + z_row(k0, k0) * g.c_stride;
      g.row1 = rows.first_row[k1] - rows.first_row[k0];
      return multiply(g);
    }
    for (index k = k0; k < k1; ++k) {
      const Range mine = active_rows(rows, share.rows, k);
      if (mine.empty()) break;
      read_input(g, k);
      g.c = w.gates + z_row(k, k0) * g.c_stride;
      g.row0 = mine.begin;
      g.row1 = mine.end;
      multiply(g);
    }
  }

  // Where the cell writes o a(c): h, or u before the projection.
  T* cell_output(index k) const {
    if (!shape.options.projection) return w.h_at(k + 1);
    return w.training ? w.u + w.cache_row(k) * w.u_stride : w.u;
  }
  index cell_output_stride() const { return shape.options.projection ? w.u_stride : w.h_stride; }
  bool finishes() const { return finishes_h(shape.options) || w.recurrent_mask != nullptr; }

  // Sets once what is the same at every step: small calls are dominated by such set-up.
  template <class Step>
  void prepare_cell(Step& s) const {
    s.hidden = shape.hidden;
    s.c_prev_panel_stride = w.c_panel_stride;
    s.c_panel_stride = w.c_panel_stride;
    s.h_stride = cell_output_stride();
    if (!finishes()) s.y = call.y;
    s.cells = call.cells;
    s.cell = cell_params(shape, block, w.clip_values);
  }
  template <class Step>
  void place_cell(Step& s, index k, Range mine) const {
    s.row0 = mine.begin;
    s.row1 = mine.end;
    s.c_prev = w.c_prev(k, shape.lanes);
    s.reset = rows.reset_at(k);
    s.keep_c = w.mask_at(w.keep_c, k, w.u_stride);
    s.c = w.c_after(k, shape.lanes);
    s.h = cell_output(k);
    s.y_offsets = rows.y_offsets + rows.first_row[k];
    if (call.cells) s.cells_offsets = rows.cells_offsets + rows.first_row[k];
  }

  kernels::StepForward<T> prepare_step(Range panels, int tid) const {
    kernels::StepForward<T> s = step_of(shape, weights, panels);
    s.z_panel_stride = w.gate_panel_stride;
    s.h_prev_stride = w.h_stride;
    s.gate_panel_stride = w.gate_panel_stride;
    if (shape.is_reduced()) {
      set_reduced(shape, call.reduced, reduced_scratch(tid), std::max(w.ahead_rows, rows.batch),
                  rows.batch, s);
    }
    prepare_cell(s);
    return s;
  }
  void place_step(kernels::StepForward<T>& s, index k, index block_begin, Range mine) const {
    place_cell(s, k, mine);
    s.descending = turns & k;
    if (w.ahead_rows) {
      s.z_in = s.z = w.gates + z_row(k, block_begin) * shape.kept_elements();
    } else {
      s.x = w.x ? w.x + w.cache_row(k) * shape.input : call.x;
      s.x_offsets = w.x ? w.x_starts : rows.x_offsets + rows.first_row[k];
    }
    s.h_prev = w.has_h(call, k) ? w.h_in_at(k) : nullptr;
    if (w.training) s.gates = w.gates + w.cache_row(k) * shape.kept_elements();
  }

  // The first phase of a step with two makes r h; prepared for it, s differs from that of the
  // second.
  kernels::StepForward<T> prepare_resets(Range panels, int tid) const {
    kernels::StepForward<T> s = prepare_step(panels, tid);
    s.y = nullptr;
    return s;
  }
  void two_phase_step(kernels::StepForward<T>& s, int phase, index k, index block_begin,
                      Range mine) const {
    place_cell(s, k, mine);
    s.phase = phase;
    s.descending = turns & k;
    s.z_in = s.gates = s.z = w.gates + z_row(k, block_begin) * shape.kept_elements();
    T* const resets = w.reset_h_at(k);
    s.h_prev = w.has_h(call, k) ? phase == 0 ? w.h_in_at(k) : resets : nullptr;
    if (phase == 0) s.h = resets;
    run_step(shape, s);
  }

  // With layer norm: z += h R. The cell follows when all panels of a row are computed.
  void norm_product(kernels::StepForward<T>& s, index k, index block_begin, Range mine) const {
    s.row0 = mine.begin;
    s.row1 = mine.end;
    s.h_prev = w.has_h(call, k) ? w.h_in_at(k) : nullptr;
    s.z = w.gates + z_row(k, block_begin) * shape.kept_elements();
    add_recurrent(shape, s);
  }

  kernels::NormForward<T> prepare_norm(int tid) const {
    kernels::NormForward<T> n{};
    n.panels = shape.panels;
    n.z_panel_stride = w.gate_panel_stride;
    n.scratch = w.norm_scratch + tid * w.norm_scratch_size;
    prepare_cell(n);
    return n;
  }
  void norm_cell(kernels::NormForward<T>& n, index k, index block_begin, Range mine) const {
    place_cell(n, k, mine);
    n.z = w.gates + z_row(k, block_begin) * shape.kept_elements();
    n.stats = w.stats + (w.training ? w.cache_row(k) * (2 * shape.gates + 2) : 0);
    kernel.norm_forward(n);
  }

  // v = u P is written to h, or to v where backward needs it.
  T* projected(index k) const { return w.v ? w.v + w.cache_row(k) * w.h_stride : w.h_at(k + 1); }
  void project_output(index k, Range mine, Range panels, const LinearShape<T>& projection,
                      int tid) const {
    kernels::Gemm<T> g = projection.product(block + shape.projection_offset());
    if (shape.is_reduced()) {
      g.reduced = projection.reduced().operand(call.reduced + shape.projection_byte(),
                                               reduced_scratch(tid), rows.batch);
    }
    g.row0 = mine.begin;
    g.row1 = mine.end;
    g.panel0 = panels.begin;
    g.panel1 = panels.end;
    g.a = cell_output(k);
    g.a_stride = w.u_stride;
    g.c = projected(k);
    g.c_stride = w.h_stride;
    multiply(g);
  }

  void finish(index k, Range mine, Range units) const {
    kernels::HiddenForward<T> f{};
    f.row0 = mine.begin;
    f.row1 = mine.end;
    f.unit0 = units.begin;
    f.unit1 = units.end;
    f.clip = shape.options.proj_clip;
    f.rate = shape.options.zoneout_h;
    f.v = projected(k);
    f.v_stride = w.h_stride;
    f.h_prev = w.has_h(call, k) ? w.h_at(k) : nullptr;
    f.keep = w.mask_at(w.keep_h, k, w.h_stride);
    f.recurrent = {nullptr, w.h_stride};
    // The mask of the step that will read h.
    if (w.recurrent_mask && k + 1 < w.chunk_end) f.recurrent.mask = recurrent_mask(k + 1);
    f.h = w.h_at(k + 1);
    f.h_stride = w.h_stride;
    if (f.recurrent.mask) {
      f.h_in = w.h_in_at(k + 1);
      f.recurrent_rows = rows.active[k + 1];  // others end here
    }
    f.h_in_stride = w.h_stride;
    f.y = call.y;
    f.y_offsets = rows.y_offsets + rows.first_row[k];
    kernel.hidden_forward(f);
  }
  const T* recurrent_mask(index k) const {
    return w.recurrent_mask + (call.noise.recurrent_per_step ? w.cache_row(k) * w.h_stride : 0);
  }

  // A reset before step k clears the h of step k - 1, on the thread that wrote it.
  void clear_resets(index k, Range range, Range units) const {
    const unsigned char* reset = rows.reset_at(k);
    if (!reset || units.empty()) return;
    const Range mine = active_rows(rows, range, k);
    for (index r = mine.begin; r < mine.end; ++r) {
      if (!reset[r]) continue;
      std::fill(w.h_at(k) + r * w.h_stride + units.begin, w.h_at(k) + r * w.h_stride + units.end,
                T(0));
      if (!w.keeps_h_in || k >= w.chunk_end) continue;
      T* h_in = w.h_in_at(k) + r * w.h_stride;
      std::fill(h_in + units.begin, h_in + units.end, T(0));
    }
  }

  void run(const LstmShare& share) const {
    const bool norm = shape.options.layer_norm, projects = shape.options.projection > 0;
    const index V = shape.lanes, O = shape.outputs();
    // The outputs `units` and rows `last` of h that this thread writes.
    Range units{share.panels.begin * V, std::min(share.panels.end * V, O)}, last = share.rows;
    std::optional<LinearShape<T>> projection;
    Range parts{};  // of the projection
    if (projects) {
      projection = shape.projection();
      parts = share.part(projection->panels);
      const index width = projection->groups * V;
      units = {parts.begin * width, std::min(parts.end * width, O)};
    } else if (norm) {
      units = {0, O};
      last = share.whole_rows;
    }
    kernels::StepForward<T> fused = prepare_step(share.panels, share.tid);
    kernels::StepForward<T> resets{};
    if (shape.two_phases()) resets = prepare_resets(share.panels, share.tid);
    kernels::NormForward<T> whole_rows{};
    if (norm) whole_rows = prepare_norm(share.tid);
    const index block_steps =
        w.ahead_rows ? std::max<index>(1, w.ahead_rows / rows.batch) : w.chunk_end;
    base::InterruptPoint point;
    const double row_flops = shape.flops();
    const bool straight =
        has_straight_steps(shape, w) && !share.rows.empty() && !share.panels.empty();
    for (index k0 = w.chunk_begin; k0 < w.chunk_end; k0 += block_steps) {
      const index k1 = std::min(w.chunk_end, k0 + block_steps);
      if (w.ahead_rows) project_input(k0, k1, share, fused);
      if (straight) {
        place_step(fused, k0, k0, share.rows);
        if (!run_straight(shape, w, share, k0, k1, point, fused)) return;
        continue;
      }
      for (index k = k0; k < k1; ++k) {
        const Range mine = active_rows(rows, share.rows, k);
        if (norm) {
          point.in_blocks(mine, row_flops, [&](Range part) { norm_product(fused, k, k0, part); });
          if (!share.arrive_and_wait()) return;
          const Range whole = active_rows(rows, share.whole_rows, k);
          if (!whole.empty()) norm_cell(whole_rows, k, k0, whole);
        } else if (shape.two_phases()) {
          for (int phase = 0; phase < 2; ++phase) {
            kernels::StepForward<T>& s = phase == 0 ? resets : fused;
            point.in_blocks(mine, row_flops / 2,
                            [&](Range part) { two_phase_step(s, phase, k, k0, part); });
            if (phase == 0 && !share.arrive_and_wait()) return;
          }
        } else {
          point.in_blocks(mine, row_flops, [&](Range part) {
            place_step(fused, k, k0, part);
            run_step(shape, fused);
          });
        }
        const Range left = active_rows(rows, last, k);
        if (projects) {
          if (!share.arrive_and_wait()) return;
          if (!left.empty() && !parts.empty())
            project_output(k, left, parts, *projection, share.tid);
        }
        if (finishes() && !left.empty() && !units.empty()) finish(k, left, units);
        clear_resets(k + 1, last, units);
        if (!share.arrive_and_wait()) return;
      }
    }
  }
};

}  // namespace

template <class T>
void lstm_steps(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                LstmWorkspace<T>& w) {
  const T* weights = w.dropped_weights ? w.dropped_weights : block;
  const Steps<T> steps{shape, block, weights, call, w};
  w.sharing.run(shape, w.rows, Range{w.chunk_begin, w.chunk_end}, 1,
                [&](const LstmShare& share) { steps.run(share); });
}

template decltype(lstm_steps<float>) lstm_steps<float>;
template decltype(lstm_steps<double>) lstm_steps<double>;

}  // namespace lstmfast::ops
