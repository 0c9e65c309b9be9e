#include <algorithm>
#include <utility>

#include "base/denormals.h"
#include "ops/lstm_noise.h"
#include "ops/lstm_parameter_gradients.h"
#include "ops/lstm_steps.h"
#include "ops/lstm_through_time.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

using base::Range;

// Rows of dz for one sweep over the panels of W transposed: as much of dz as stays in L2 next to a
// part of a panel.
template <class T>
index input_gradient_rows(const kernels::Gemm<T>& g) {
  const index elements = (g.rest ? g.rest : g.segments) * g.segment;
  return std::max<index>(24, plan().l2 * 3 / 8 / (elements * index(sizeof(T))));
}

template <class T>
void load_gradients(const LstmShape<T>& shape, const LstmGradients<T>& d, LstmWorkspace<T>& w) {
  const index O = shape.outputs(), H = shape.hidden, V = shape.lanes, B = w.rows.batch;
  // Where a pass follows the cell, dh holds only what comes through the product.
  T* const into = w.dh_carry ? w.dh_carry : w.dh;
  if (w.dh_carry) std::fill_n(w.dh, B * w.h_stride, T(0));
  for (index s = 0; s < B; ++s) {
    const index b = w.rows.slot_row[s];
    T* dh = into + s * w.h_stride;
    std::fill_n(d.dh_n ? std::copy_n(d.dh_n + b * O, O, dh) : std::fill_n(dh, O, T(0)),
                w.h_stride - O, T(0));
    for (index p = 0; p < shape.c_panels(); ++p) {
      const index n = std::min(V, H - p * V);
      T* dc = w.dc + p * w.dc_panel_stride + s * V;
      std::fill_n(d.dc_n ? std::copy_n(d.dc_n + b * H + p * V, n, dc) : std::fill_n(dc, n, T(0)),
                  V - n, T(0));
    }
  }
}

template <class T>
void store_gradients(const LstmShape<T>& shape, const LstmCall<T>& call, const LstmGradients<T>& d,
                     const LstmWorkspace<T>& w) {
  const index O = shape.outputs(), H = shape.hidden, V = shape.lanes;
  for (index s = 0; s < w.rows.batch; ++s) {
    const index b = w.rows.slot_row[s];
    if (d.dh0) {
      std::copy_n(w.dh + s * w.h_stride, O, d.dh0 + b * O);
      if (w.dh_carry)
        for (index u = 0; u < O; ++u) d.dh0[b * O + u] += w.dh_carry[s * w.h_stride + u];
    }
    // The part of the gradient that does not go through a product.
    for (index p = 0; d.dh0 && shape.c_is_h() && p < shape.panels; ++p)
      for (index v = 0; v < std::min(V, H - p * V); ++v)
        d.dh0[b * O + p * V + v] += w.dc[p * w.dc_panel_stride + s * V + v];
    if (d.dc0)
      for (index p = 0; p < shape.panels; ++p)
        std::copy_n(w.dc + p * w.dc_panel_stride + s * V, std::min(V, H - p * V),
                    d.dc0 + b * H + p * V);
  }
  w.rows.fill_padding(call, d.dx, call.x_row, call.x_step, shape.input, false);
}

// The beginning of the block of steps that ends at `end`: as many steps of the chunk as have at
// most kReductionRows rows together, at least one.
template <class T>
index block_begin(const LstmWorkspace<T>& w, index end) {
  index begin = end - 1;
  while (begin > w.chunk_begin && w.cache_row(end) - w.cache_row(begin - 1) <= kReductionRows)
    --begin;
  return begin;
}

// dx of cache rows.
template <class T>
struct InputGradient {
  const LstmShape<T>& shape;
  const LstmGradients<T>& d;
  const TransposedWeights<T>& transposed;
  index first_step;
  LstmWorkspace<T>& w;
  const kernels::Table<T>& kernel = kernels::table<T>();

  void run(Range mine) const {
    const LstmRows<T>& rows = w.rows;
    const index* const offsets = rows.x_offsets + rows.first_row[w.chunk_begin];
    kernels::Gemm<T> g =
        transposed.product(shape, transposed.input, w.transposed + transposed.input_offset(),
                           w.gates, w.gate_panel_stride);
    const index block_rows = input_gradient_rows(g);
    g.c = w.x ? w.x : d.dx;  // the masked x is no longer needed
    g.c_offsets = w.x ? nullptr : offsets;
    g.c_stride = shape.input;
    base::InterruptPoint point;
    for (index r = mine.begin; r < mine.end; r += block_rows) {
      point.in_blocks({r, std::min(mine.end, r + block_rows)}, shape.flops(), [&](Range part) {
        g.row0 = part.begin;
        g.row1 = part.end;
        kernel.gemm(g);
      });
    }
    if (!w.x) return;
    index k = first_step;
    for (index r = mine.begin; r < mine.end; ++r) {
      while (w.cache_row(k + 1) <= r) ++k;
      const T* const through = w.x + r * shape.input;
      const T* const mask = w.x_mask + (r - w.cache_row(k)) * shape.input;
      T* const dx = d.dx + offsets[r];
      for (index i = 0; i < shape.input; ++i) dx[i] = mask[i] * through[i];
    }
  }
};

template <class T>
TransposedWeights<T> transposed_weights(const LstmShape<T>& shape, const LstmGradients<T>& d,
                                        const LstmWorkspace<T>& w) {
  return {shape, w.sharing.by_rows ? 1 : w.sharing.threads, d.dx != nullptr};
}

}  // namespace

template <class T>
void plan_lstm_backward(const LstmShape<T>& shape, const LstmCall<T>& call,
                        const LstmGradients<T>& d, LstmWorkspace<T>& w) {
  w.plan_backward(shape, call, d, transposed_weights(shape, d, w).size());
}

template <class T>
void lstm_backward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                   const LstmGradients<T>& gradients, LstmWorkspace<T>& w) {
  const base::FlushDenormals flush;
  LF_ASSERT(w.trained);
  w.trained = false;  // dz overwrites the gates
  const double flops = shape.flops() * double(w.rows.total);
  const LstmSharing& sharing = w.sharing;
  const int parts = sharing.by_rows ? 1 : sharing.threads;
  const TransposedWeights<T> transposed = transposed_weights(shape, gradients, w);
  const index mr = kernels::table<T>().tile_rows[shape.gates];
  if (!std::exchange(w.backward_planned, false)) {
    plan_lstm_backward(shape, call, gradients, w);
    w.backward_planned = false;
  }
  if (w.dnorm) {
    const index size = shape.panels * (2 * shape.gates + 2) * shape.lanes;
    std::fill_n(w.dnorm, w.rows.batch * size, T(0));
  }
  LstmGradients<T> d = gradients;
  if (w.held_dy)
    w.rows.gather_held(call, gradients.dy, call.y_row, call.y_step, shape.outputs(), w.held_dy);
  if (w.held_dcells)
    w.rows.gather_held(call, gradients.dcells, call.cells_row, call.cells_step, shape.hidden,
                       w.held_dcells);
  if (w.dropped_gradient) {
    std::fill_n(w.dropped_gradient, shape.peephole_offset(), T(0));
    d.dblock = w.dropped_gradient;
  }
  if (d.dblock && d.overwrites) {
    // The first block of steps overwrites the gradients of the panels; all others are added to, as
    // are those of the panels where weights were dropped.
    d.overwrites = w.dropped_gradient == nullptr;
    const index first = d.overwrites ? shape.peephole_offset() : 0;
    std::fill_n(gradients.dblock + first, shape.size() - first, T(0));
  }
  load_gradients(shape, gradients, w);
  const std::uint64_t version = w.dropped_weights ? 0 : call.weights_version;
  if (version == 0 || w.transposed_of.version != version || w.transposed_of.block != block ||
      w.transposed_of.parts != parts) {
    const T* const weights = w.dropped_weights ? w.dropped_weights : block;
    w.transposed_of = {};
    transposed.fill(shape, block, weights, {sharing.threads, 2 * sharing.seconds}, w.transposed);
    w.transposed_of = {version, block, transposed.size(), parts};
  }

  const base::team::Request after =
      threads_for(flops, std::max(w.rows.total, shape.input + shape.outputs()) / mr);
  bool current = true;  // whether the caches hold the chunk
  for (index begin = w.chunk_begin; begin >= 0; begin -= w.chunk_steps, current = false) {
    if (w.rows.steps == 0) break;
    if (!current) recompute_chunk(shape, block, call, begin, w);
    for (index end = w.chunk_end; end > begin;) {
      const Range steps{block_begin(w, end), end};
      end = steps.begin;
      through_time(shape, block, call, gradients, transposed, steps, w);
      if (d.dblock) add_parameter_gradients(shape, call, d, gradients.dblock, steps, w, after);
      if (w.cache_row(steps.begin) < w.cache_row(steps.end)) d.overwrites = false;
      if (!gradients.dx) continue;
      const InputGradient<T> input{shape, gradients, transposed, steps.begin, w};
      const index first = w.cache_row(steps.begin);
      base::team::parallel_for(after, w.cache_row(steps.end) - first, mr,
                               [&](index r0, index r1) { input.run({first + r0, first + r1}); });
    }
  }
  if (gradients.dblock) {
    if (d.overwrites) std::fill_n(d.dblock, shape.peephole_offset(), T(0));  // there were no rows
    if (w.dropped_gradient) LstmMasks<T>{shape, call, w}.add_dropped_gradient(gradients.dblock);
    if (w.dnorm) add_norm_gradients(shape, w, gradients.dblock);
  }
  store_gradients(shape, call, gradients, w);
}

template decltype(plan_lstm_backward<float>) plan_lstm_backward<float>;
template decltype(plan_lstm_backward<double>) plan_lstm_backward<double>;
template decltype(lstm_backward<float>) lstm_backward<float>;
template decltype(lstm_backward<double>) lstm_backward<double>;

}  // namespace lstmfast::ops
