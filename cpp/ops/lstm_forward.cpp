#include <algorithm>

#include "base/denormals.h"
#include "kernels/table.h"
#include "ops/lstm_threads.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {
namespace {

using base::Barrier;
using base::Range;

// Rows that share one sweep over W when x is projected ahead: above this, a step's own rows fill
// the tiles.
constexpr index kAheadBatch = 4;
constexpr index kAheadInput = 16;
constexpr index kAheadBytes = 1 << 18;  // of z: a quarter of a common L2

template <class T>
struct Forward {
  const LstmShape<T>& shape;
  const T* block;
  const LstmCall<T>& call;
  bool training;
  LstmWorkspace<T>& w;
  index ahead_rows;  // 0: x is folded into the step
  bool apart;        // of z that is reused: every step has room for all rows
  const kernels::Table<T>& kernel = kernels::table<T>();

  // Threads that share rows may be in different blocks of steps at a time. Where rows end early,
  // packed rows of one block would be those of other slots in another, hence `apart`.
  index z_row(index t, index block_step) const {
    if (training) return w.first_row[t];
    return apart ? (t - block_step) * w.batch : w.first_row[t] - w.first_row[block_step];
  }

  // z = b + x W for the rows of steps t0 .. t1.
  void project(index t0, index t1, Range rows, Range panels) const {
    kernels::Gemm<T> g{};
    const index row = shape.row_elements();
    g.panel0 = panels.begin;
    g.panel1 = panels.end;
    g.nr = shape.gates;
    g.a = call.x;
    g.segments = 1;
    g.segment = shape.input;
    g.b = block + row;
    g.b_panel_stride = shape.panel_stride();
    g.bias = block;
    g.bias_panel_stride = shape.panel_stride();
    g.c_stride = row;
    g.c_panel_stride = w.gate_panel_stride;
    g.columns = shape.panels * row;
    if (!apart && rows.begin == 0 && rows.end == w.batch) {
      g.a_offsets = w.x_row_offsets + w.first_row[t0];
      g.c = w.gates + z_row(t0, t0) * row;
      g.row1 = w.first_row[t1] - w.first_row[t0];
      kernel.gemm(g);
      return;
    }
    for (index t = t0; t < t1; ++t) {
      g.a_offsets = w.x_row_offsets + w.first_row[t];
      g.c = w.gates + z_row(t, t0) * row;
      g.row0 = rows.begin;
      g.row1 = std::min(rows.end, w.active[t]);
      if (g.row0 < g.row1) kernel.gemm(g);
    }
  }

  T* h_ring(index t) const { return w.h + (t & 1) * w.batch * w.h_stride; }
  T* c_at(index t) const { return training ? w.c + (w.batch + w.first_row[t]) * shape.lanes : w.c; }
  const T* c_prev_at(index t) const {
    if (t == 0 && !w.has_c0) return nullptr;
    return training ? w.c + w.c_row(t) * shape.lanes : w.c;
  }
  void step(index t, index t0, Range rows, Range panels) const {
    kernels::StepForward<T> s{};
    s.row0 = rows.begin;
    s.row1 = rows.end;
    s.panel0 = panels.begin;
    s.panel1 = panels.end;
    s.input = shape.input;
    s.hidden = shape.hidden;
    s.weights = block;
    s.weight_panel_stride = shape.panel_stride();
    if (ahead_rows) {
      s.z_in = w.gates + z_row(t, t0) * shape.row_elements();
      s.z_panel_stride = w.gate_panel_stride;
    } else {
      s.x = call.x + t * call.x_step;
      s.x_offsets = w.x_offsets;
    }
    s.h_prev = t == 0 && !call.h0 ? nullptr : h_ring(t);
    s.h_stride = w.h_stride;
    s.c_prev = c_prev_at(t);
    s.c_prev_panel_stride = w.c_panel_stride;
    s.reset = w.reset_at(t);
    s.c = c_at(t);
    s.c_panel_stride = w.c_panel_stride;
    if (training) {
      s.gates = w.gates + w.first_row[t] * shape.row_elements();
      s.gate_panel_stride = w.gate_panel_stride;
    }
    s.h = h_ring(t + 1);
    s.y = call.y ? call.y + t * call.y_step : nullptr;
    s.y_offsets = w.y_offsets;
    s.cell = cell_params(shape, block);
    kernel.step_forward(s);
  }

  // Layer norm: z += h R, then (when all panels of a row are there) the cell.
  void norm_product(index t, index t0, Range rows, Range panels) const {
    if (t == 0 && !call.h0) return;
    const index row = shape.row_elements();
    kernels::Gemm<T> g{};
    g.row0 = rows.begin;
    g.row1 = rows.end;
    g.panel0 = panels.begin;
    g.panel1 = panels.end;
    g.nr = shape.gates;
    g.a = h_ring(t);
    g.a_stride = w.h_stride;
    g.segments = 1;
    g.segment = shape.hidden;
    g.b = block + (1 + shape.input) * row;
    g.b_panel_stride = shape.panel_stride();
    g.accumulate = true;
    g.c = w.gates + z_row(t, t0) * row;
    g.c_stride = row;
    g.c_panel_stride = w.gate_panel_stride;
    g.columns = shape.panels * row;
    kernel.gemm(g);
  }

  void norm_cell(index t, index t0, Range rows) const {
    const index G = shape.gates;
    kernels::NormForward<T> n{};
    n.row0 = rows.begin;
    n.row1 = rows.end;
    n.hidden = shape.hidden;
    n.panels = shape.panels;
    n.z = w.gates + z_row(t, t0) * G * shape.lanes;
    n.z_panel_stride = w.gate_panel_stride;
    n.c_prev = c_prev_at(t);
    n.c_prev_panel_stride = w.c_panel_stride;
    n.reset = w.reset_at(t);
    n.c = c_at(t);
    n.c_panel_stride = w.c_panel_stride;
    n.stats = w.stats + (training ? w.first_row[t] * (2 * G + 2) : 0);
    n.h = h_ring(t + 1);
    n.h_stride = w.h_stride;
    n.y = call.y ? call.y + t * call.y_step : nullptr;
    n.y_offsets = w.y_offsets;
    n.cell = cell_params(shape, block);
    kernel.norm_forward(n);
  }

  // A reset before step t clears the h that step t - 1 left; who wrote it clears it.
  void clear_resets(index t, Range rows, Range panels) const {
    const unsigned char* reset = t < w.steps ? w.reset_at(t) : nullptr;
    if (!reset) return;
    for (index r = rows.begin; r < std::min(rows.end, w.active[t]); ++r)
      if (reset[r])
        std::fill_n(h_ring(t) + r * w.h_stride + panels.begin * shape.lanes,
                    panels.size() * shape.lanes, T(0));
  }

  void run(Range rows, Range panels, Range norm_rows, Barrier* barrier) const {
    const Range all{0, shape.panels};
    const index block_steps =
        ahead_rows ? std::max<index>(1, ahead_rows / std::max<index>(1, w.batch)) : w.steps;
    for (index t0 = 0; t0 < w.steps; t0 += block_steps) {
      const index t1 = std::min(w.steps, t0 + block_steps);
      if (ahead_rows) project(t0, t1, rows, panels);
      for (index t = t0; t < t1; ++t) {
        const Range mine{rows.begin, std::min(rows.end, w.active[t])};
        if (shape.options.layer_norm) {
          if (!mine.empty()) norm_product(t, t0, mine, panels);
          if (barrier) barrier->wait();
          const Range whole{norm_rows.begin, std::min(norm_rows.end, w.active[t])};
          if (!whole.empty()) norm_cell(t, t0, whole);
          clear_resets(t + 1, norm_rows, all);
        } else {
          if (!mine.empty()) step(t, t0, mine, panels);
          clear_resets(t + 1, rows, panels);
        }
        if (barrier) barrier->wait();
      }
    }
  }

  void load_states() const {
    const index H = shape.hidden, V = shape.lanes;
    const unsigned char* reset = w.reset_at(0);
    for (index s = 0; s < w.batch; ++s) {
      const index b = w.slot_row[s];
      if (call.h0) {
        T* h = h_ring(0) + s * w.h_stride;
        std::fill_n(std::copy_n(call.h0 + b * H, H, h), w.h_stride - H, T(0));
        if (w.h0) std::copy_n(h, w.h_stride, w.h0 + s * w.h_stride);
        if (reset && reset[s]) std::fill_n(h, H, T(0));
      }
      if (call.c0) {
        for (index p = 0; p < shape.panels; ++p) {
          const index n = std::min(V, H - p * V);
          T* c = w.c + p * w.c_panel_stride + s * V;
          std::fill_n(std::copy_n(call.c0 + b * H + p * V, n, c), V - n, T(0));
        }
      }
    }
  }

  void store_states() const {
    const index H = shape.hidden, V = shape.lanes;
    for (index s = 0; s < w.batch; ++s) {
      const index b = w.slot_row[s], length = w.slot_length[s];
      if (call.h_n) {
        if (length > 0 || call.h0) {
          // A row without steps keeps its initial state, whatever was reset.
          const T* h = length > 0 ? h_ring(length) + s * w.h_stride : call.h0 + b * H;
          std::copy_n(h, H, call.h_n + b * H);
        } else {
          std::fill_n(call.h_n + b * H, H, T(0));
        }
      }
      if (call.c_n) {
        for (index p = 0; p < shape.panels; ++p) {
          const index n = std::min(V, H - p * V);
          const index row = (training && length > 0 ? w.c_row(length) : 0) + s;
          T* out = call.c_n + b * H + p * V;
          if (length > 0 || call.c0) {
            std::copy_n(w.c + p * w.c_panel_stride + row * V, n, out);
          } else {
            std::fill_n(out, n, T(0));
          }
        }
      }
      if (call.y)
        for (index t = length; t < w.steps; ++t)
          std::fill_n(call.y + b * call.y_row + t * call.y_step, H, T(0));
    }
  }
};

}  // namespace

template <class T>
void lstm_forward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call, bool training,
                  LstmWorkspace<T>& workspace) {
  const base::FlushDenormals flush;
  const index row_bytes = shape.panels * shape.row_elements() * index(sizeof(T));
  index ahead_rows = 0;
  if (shape.options.layer_norm || (call.batch <= kAheadBatch && shape.input >= kAheadInput)) {
    const index steps =
        std::max<index>(1, kAheadBytes / std::max<index>(1, row_bytes * call.batch));
    ahead_rows = std::min(steps, call.steps) * call.batch;
  }
  LstmWorkspace<T>& w = workspace;
  w.plan(shape, call, training, ahead_rows);
  const double flops = 2.0 * double(shape.gates * shape.hidden) *
                       double(shape.input + shape.hidden) * double(w.total);
  const LstmSharing sharing = share_lstm(shape, w, flops);
  const bool apart = !training && sharing.by_rows && sharing.threads > 1;
  const Forward<T> forward{shape, block, call, training, w, ahead_rows, apart};
  forward.load_states();
  base::team::run(sharing.threads, [&](int tid, int n, Barrier& barrier) {
    const Range rows = sharing.rows(w, tid, n);
    const Range norm_rows = sharing.by_rows ? rows : base::split(w.batch, tid, n);
    forward.run(rows, sharing.panels(shape.panels, tid, n), norm_rows,
                sharing.by_rows ? nullptr : &barrier);
  });
  forward.store_states();
  w.trained = training;
}

template void lstm_forward(const LstmShape<float>&, const float*, const LstmCall<float>&, bool,
                           LstmWorkspace<float>&);
template void lstm_forward(const LstmShape<double>&, const double*, const LstmCall<double>&, bool,
                           LstmWorkspace<double>&);

}  // namespace lstmfast::ops
