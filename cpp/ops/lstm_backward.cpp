#include <algorithm>

#include "base/denormals.h"
#include "kernels/table.h"
#include "ops/lstm_parameter_gradients.h"
#include "ops/lstm_threads.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {
namespace {

using base::Barrier;
using base::Range;

// Rows of dz that one sweep over the panels of W transposed serves: a few hundred KB of dz, to stay
// in L2.
template <class T>
index input_gradient_rows(index row_elements) {
  return std::max<index>(24, (index(3) << 17) / (row_elements * index(sizeof(T))));
}

// The transpose of a range of rows of the weight panels, as panels of `nr` vectors.
template <class T>
struct Transposed {
  index columns;  // logical: rows of the weights
  int nr;
  index panels, panel_stride;

  Transposed(const LstmShape<T>& s, index rows, index parts = 1)
      : columns(rows),
        nr(panel_vectors(rows, s.lanes, parts)),
        panels((rows + nr * s.lanes - 1) / (nr * s.lanes)),
        panel_stride(s.panels * s.gates * s.lanes * nr * s.lanes) {}
  index size() const { return panels * panel_stride; }
};

template <class T>
struct Backward {
  const LstmShape<T>& shape;
  const T* block;
  const LstmCall<T>& call;
  const LstmGradients<T>& d;
  LstmWorkspace<T>& w;
  Transposed<T> recurrent, input;
  const kernels::Table<T>& kernel = kernels::table<T>();

  T* input_transposed() const { return w.transposed + recurrent.size(); }
  void transpose(const Transposed<T>& to, const T* rows, T* out, Range q) const {
    kernels::TransposePanels<T> t{};
    t.panels = shape.panels;
    t.gates = shape.gates;
    t.w = rows;
    t.w_panel_stride = shape.panel_stride();
    t.k = to.columns;
    t.nr = to.nr;
    t.q0 = q.begin;
    t.q1 = q.end;
    t.out = out;
    t.out_panel_stride = to.panel_stride;
    kernel.transpose_panels(t);
  }

  void load_gradients() const {
    const index H = shape.hidden, V = shape.lanes;
    for (index s = 0; s < w.batch; ++s) {
      const index b = w.slot_row[s];
      T* dh = w.dh + s * w.h_stride;
      std::fill_n(d.dh_n ? std::copy_n(d.dh_n + b * H, H, dh) : std::fill_n(dh, H, T(0)),
                  w.h_stride - H, T(0));
      for (index p = 0; p < shape.panels; ++p) {
        const index n = std::min(V, H - p * V);
        T* dc = w.dc + p * w.dc_panel_stride + s * V;
        std::fill_n(d.dc_n ? std::copy_n(d.dc_n + b * H + p * V, n, dc) : std::fill_n(dc, n, T(0)),
                    V - n, T(0));
      }
    }
  }

  void store_gradients() const {
    const index H = shape.hidden, V = shape.lanes;
    for (index s = 0; s < w.batch; ++s) {
      const index b = w.slot_row[s];
      if (d.dh0) std::copy_n(w.dh + s * w.h_stride, H, d.dh0 + b * H);
      if (d.dc0)
        for (index p = 0; p < shape.panels; ++p)
          std::copy_n(w.dc + p * w.dc_panel_stride + s * V, std::min(V, H - p * V),
                      d.dc0 + b * H + p * V);
      if (d.dx)
        for (index t = w.slot_length[s]; t < w.steps; ++t)
          std::fill_n(d.dx + b * call.x_row + t * call.x_step, shape.input, T(0));
    }
  }

  // dz of step t over its gates; dc of step t - 1.
  void cell_backward(index t, Range rows, Range panels) const {
    kernels::StepBackward<T> s{};
    s.row0 = rows.begin;
    s.row1 = rows.end;
    s.panel0 = panels.begin;
    s.panel1 = panels.end;
    s.hidden = shape.hidden;
    s.gates = w.gates + w.first_row[t] * shape.row_elements();
    s.gate_panel_stride = w.gate_panel_stride;
    s.c = w.c + w.c_row(t + 1) * shape.lanes;
    s.c_prev = t == 0 && !w.has_c0 ? nullptr : w.c + w.c_row(t) * shape.lanes;
    s.c_panel_stride = w.c_panel_stride;
    s.reset = w.reset_at(t);
    s.dy = d.dy ? d.dy + t * call.y_step : nullptr;
    s.dy_offsets = w.y_offsets;
    s.dh = w.dh;
    s.dh_stride = w.h_stride;
    s.dc = w.dc;
    s.dc_panel_stride = w.dc_panel_stride;
    s.cell = cell_params(shape, block);
    kernel.step_backward(s);
  }

  void norm_backward(index t, Range rows, int tid) const {
    const index G = shape.gates, V = shape.lanes;
    kernels::NormBackward<T> n{};
    n.row0 = rows.begin;
    n.row1 = rows.end;
    n.hidden = shape.hidden;
    n.panels = shape.panels;
    n.z = w.gates + w.first_row[t] * shape.row_elements();
    n.z_panel_stride = w.gate_panel_stride;
    n.c = w.c + w.c_row(t + 1) * V;
    n.c_prev = t == 0 && !w.has_c0 ? nullptr : w.c + w.c_row(t) * V;
    n.c_panel_stride = w.c_panel_stride;
    n.reset = w.reset_at(t);
    n.stats = w.stats + w.first_row[t] * (2 * G + 2);
    n.dy = d.dy ? d.dy + t * call.y_step : nullptr;
    n.dy_offsets = w.y_offsets;
    n.dh = w.dh;
    n.dh_stride = w.h_stride;
    n.dc = w.dc;
    n.dc_panel_stride = w.dc_panel_stride;
    n.dnorm = w.dnorm;
    n.dnorm_row_stride = shape.panels * (2 * G + 2) * V;
    n.scratch = w.norm_scratch + tid * shape.panels * (G + 1) * V;
    n.cell = cell_params(shape, block);
    kernel.norm_backward(n);
  }

  // out = dz B for packed rows, B transposed weights.
  kernels::Gemm<T> product(const Transposed<T>& b, const T* panels, const T* dz) const {
    kernels::Gemm<T> g{};
    g.panel1 = b.panels;
    g.nr = b.nr;
    g.a = dz;
    g.a_stride = shape.row_elements();
    g.segments = shape.panels;
    g.segment = shape.row_elements();
    g.segment_stride = w.gate_panel_stride;
    g.b = panels;
    g.b_panel_stride = b.panel_stride;
    g.c_panel_stride = b.nr * shape.lanes;
    g.columns = b.columns;
    return g;
  }

  // dh of step t - 1; a reset at t cuts it off.
  void hidden_gradient(index t, Range rows, Range q) const {
    kernels::Gemm<T> g =
        product(recurrent, w.transposed, w.gates + w.first_row[t] * shape.row_elements());
    g.row0 = rows.begin;
    g.row1 = rows.end;
    g.panel0 = q.begin;
    g.panel1 = q.end;
    g.c = w.dh;
    g.c_stride = w.h_stride;
    kernel.gemm(g);
    const unsigned char* reset = w.reset_at(t);
    if (!reset) return;
    const index width = recurrent.nr * shape.lanes;
    const index begin = q.begin * width, end = std::min(q.end * width, shape.hidden);
    for (index r = rows.begin; r < rows.end; ++r)
      if (reset[r] && begin < end) std::fill_n(w.dh + r * w.h_stride + begin, end - begin, T(0));
  }

  void through_time(Range rows, Range panels, Range q, Range norm_rows, int tid,
                    Barrier* barrier) const {
    for (index t = w.steps - 1; t >= 0; --t) {
      const Range mine{rows.begin, std::min(rows.end, w.active[t])};
      if (shape.options.layer_norm) {
        const Range whole{norm_rows.begin, std::min(norm_rows.end, w.active[t])};
        if (!whole.empty()) norm_backward(t, whole, tid);
      } else if (!mine.empty()) {
        cell_backward(t, mine, panels);
      }
      if (t == 0 && !d.dh0) break;
      if (barrier) barrier->wait();
      if (!mine.empty() && !q.empty()) hidden_gradient(t, mine, q);
      if (barrier) barrier->wait();
    }
  }

  void input_gradient(Range rows) const {
    const index block_rows = input_gradient_rows<T>(shape.panels * shape.row_elements());
    kernels::Gemm<T> g = product(input, input_transposed(), w.gates);
    g.c = d.dx;
    g.c_offsets = w.x_row_offsets;
    for (index r = rows.begin; r < rows.end; r += block_rows) {
      g.row0 = r;
      g.row1 = std::min(rows.end, r + block_rows);
      kernel.gemm(g);
    }
  }
};

}  // namespace

template <class T>
void lstm_backward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                   const LstmGradients<T>& gradients, LstmWorkspace<T>& workspace) {
  const base::FlushDenormals flush;
  LstmWorkspace<T>& w = workspace;
  LF_ASSERT(w.trained);
  w.trained = false;  // dz takes the place of the gates
  const double flops = 2.0 * double(shape.gates * shape.hidden) *
                       double(shape.input + shape.hidden) * double(w.total);
  const LstmSharing sharing = share_lstm(shape, w, flops);
  const Transposed<T> recurrent(shape, shape.hidden, sharing.by_rows ? 1 : sharing.threads);
  const Transposed<T> input(shape, shape.input);
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index mr = kernel.tile_rows[shape.gates];
  w.plan_backward(shape, recurrent.size() + (gradients.dx ? input.size() : 0),
                  packed_columns_size(shape, w), sharing.threads);
  if (shape.options.layer_norm)
    std::fill_n(w.dnorm, w.batch * shape.panels * (2 * shape.gates + 2) * shape.lanes, T(0));

  const Backward<T> backward{shape, block, call, gradients, w, recurrent, input};
  const index row = shape.row_elements();
  backward.load_gradients();
  const int threads = sharing.threads;
  base::team::parallel_for(threads, recurrent.panels, 1, [&](index begin, index end) {
    backward.transpose(recurrent, block + (1 + shape.input) * row, w.transposed, {begin, end});
  });
  base::team::run(threads, [&](int tid, int n, Barrier& barrier) {
    const Range rows = sharing.rows(w, tid, n);
    backward.through_time(rows, sharing.panels(shape.panels, tid, n),
                          sharing.panels(recurrent.panels, tid, n),
                          sharing.by_rows ? rows : base::split(w.batch, tid, n), tid,
                          sharing.by_rows ? nullptr : &barrier);
  });
  const int after = threads_for(flops, std::max(w.total, shape.input + shape.hidden) / mr);
  if (gradients.dx) {
    base::team::parallel_for(after, input.panels, 1, [&](index begin, index end) {
      backward.transpose(input, block + row, backward.input_transposed(), {begin, end});
    });
    base::team::parallel_for(
        after, w.total, mr, [&](index begin, index end) { backward.input_gradient({begin, end}); });
  }
  if (gradients.dblock) add_parameter_gradients(shape, call, gradients, w, after);
  backward.store_gradients();
}

template void lstm_backward(const LstmShape<float>&, const float*, const LstmCall<float>&,
                            const LstmGradients<float>&, LstmWorkspace<float>&);
template void lstm_backward(const LstmShape<double>&, const double*, const LstmCall<double>&,
                            const LstmGradients<double>&, LstmWorkspace<double>&);

}  // namespace lstmfast::ops
