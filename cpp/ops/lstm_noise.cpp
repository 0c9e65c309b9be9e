#include "ops/lstm_noise.h"

#include <algorithm>

#include "base/interrupt.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

// Kind 0 is the dropout of layers.
enum class Kind : std::uint32_t { none, input, recurrent, weight, zoneout_h, zoneout_c };

template <class T>
base::RandomStream stream_of(const LstmCall<T>& call, Kind kind) {
  const LstmNoise& n = call.noise;
  return {n.seed, n.stream, static_cast<std::uint32_t>(kind), n.step};
}

// One row of the mask for each slot.
template <class T>
void fill_by_slot(const LstmRows<T>& rows, const base::RandomStream& stream,
                  const MaskValues<T>& values, index units, index stride, T* mask) {
  fill_random_mask(stream, values,
                   {rows.batch, 1, units, mask, stride, 0, rows.slot_row, 0, stride});
}

// One row of the mask for each cache row, named by the time of its step.
template <class T>
void fill_by_step(const LstmWorkspace<T>& w, const base::RandomStream& stream,
                  const MaskValues<T>& values, index units, index stride, T* mask) {
  const LstmRows<T>& rows = w.rows;
  const index steps = w.chunk_end - w.chunk_begin;
  const index grain = std::max<index>(1, kStreamGrain / std::max<index>(1, rows.batch * units));
  for_shares(steps, grain, [&](index begin, index end) {
    kernels::RandomMask<T> part = random_rows(stream, values);
    part.units = units;
    part.stride = part.padded = stride;
    part.row_numbers = rows.slot_row;
    base::InterruptPoint point;
    for (index k = w.chunk_begin + begin; k < w.chunk_begin + end; ++k) {
      part.rows = rows.active[k];
      part.times = rows.positions + rows.first_row[k];
      part.mask = mask + w.cache_row(k) * stride;
      kernels::table<T>().random_mask(part);
      point.pass(kFlopsOfDraw * double(part.rows * units));
    }
  });
}

}  // namespace

template <class T>
void draw_call_masks(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                     LstmWorkspace<T>& w) {
  const LstmNoise& n = call.noise;
  const index O = shape.outputs(), I = shape.input, H = shape.hidden, V = shape.lanes;
  if (w.x_mask)
    fill_by_slot(w.rows, stream_of(call, Kind::input), dropout_values<T>(n.input), I, I, w.x_mask);
  if (w.recurrent_mask && !n.recurrent_per_step)
    fill_by_slot(w.rows, stream_of(call, Kind::recurrent), dropout_values<T>(n.recurrent), O,
                 w.h_stride, w.recurrent_mask);
  if (!w.weight_mask) return;
  // Row k of the recurrent kernel is drawn in logical order, gate after gate.
  const index G = shape.gates;
  const base::RandomStream stream = stream_of(call, Kind::weight);
  std::copy_n(block, shape.peephole_offset(), w.dropped_weights);
  for (index k = 0; k < O; ++k) {
    fill_random_mask(stream, dropout_values<T>(n.weight),
                     {1, 1, G * H, w.weight_row, G * H, 0, &k, 0, G * H});
    for (index p = 0; p < shape.panels; ++p) {
      const index row = shape.weight_row(p), lanes = p == shape.tail_panel() ? shape.tail.units : V;
      T* mask = w.weight_mask + p * O * shape.row_elements() + k * row;
      T* weights = w.dropped_weights + p * shape.panel_stride() + (1 + shape.input + k) * row;
      const index units = std::min(V, H - p * V);
      for (index g = 0; g < G; ++g, mask += lanes, weights += lanes) {
        std::fill_n(std::copy_n(w.weight_row + g * H + p * V, units, mask), lanes - units, T(0));
        for (index v = 0; v < units; ++v) weights[v] *= mask[v];
      }
      std::fill_n(mask, row - G * lanes, T(0));
    }
  }
}

template <class T>
void draw_chunk_masks(const LstmShape<T>& shape, const LstmCall<T>& call, LstmWorkspace<T>& w) {
  const LstmRows<T>& rows = w.rows;
  const CellOptions& o = shape.options;
  const index O = shape.outputs(), I = shape.input;
  if (w.recurrent_mask && call.noise.recurrent_per_step)
    fill_by_step(w, stream_of(call, Kind::recurrent), dropout_values<T>(call.noise.recurrent), O,
                 w.h_stride, w.recurrent_mask);
  if (w.keep_h)
    fill_by_step(w, stream_of(call, Kind::zoneout_h), zoneout_values<T>(o.zoneout_h), O, w.h_stride,
                 w.keep_h);
  if (w.keep_c)
    fill_by_step(w, stream_of(call, Kind::zoneout_c), zoneout_values<T>(o.zoneout_c), shape.hidden,
                 w.unit_stride, w.keep_c);
  if (!w.x) return;
  const kernels::Table<T>& kernel = kernels::table<T>();
  base::InterruptPoint point;
  for (index k = w.chunk_begin; k < w.chunk_end; ++k) {
    point.pass(double(rows.active[k] * I));
    for (index s = 0; s < rows.active[k]; ++s) {
      kernel.pointwise({kernels::PointwiseOp::multiply, I, 0, 0,
                        call.x + rows.x_offsets[rows.first_row[k] + s], w.x_mask + s * I,
                        w.x + (w.cache_row(k) + s) * I});
    }
  }
}

template <class T>
void add_dropped_gradient(const LstmShape<T>& shape, const LstmWorkspace<T>& w, T* dblock) {
  for (index p = 0; p < shape.panels; ++p) {
    const index row = shape.weight_row(p);
    const index fixed = (1 + shape.input) * row, dropped = shape.outputs() * row;
    const T* from = w.dropped_gradient + p * shape.panel_stride();
    const T* mask = w.weight_mask + p * shape.outputs() * shape.row_elements();
    T* to = dblock + p * shape.panel_stride();
    for (index j = 0; j < fixed; ++j) to[j] += from[j];
    for (index j = 0; j < dropped; ++j) to[fixed + j] += mask[j] * from[fixed + j];
  }
}

#define LF_INSTANTIATE(T)                                                                     \
  template void draw_call_masks(const LstmShape<T>&, const T*, const LstmCall<T>&,            \
                                LstmWorkspace<T>&);                                           \
  template void draw_chunk_masks(const LstmShape<T>&, const LstmCall<T>&, LstmWorkspace<T>&); \
  template void add_dropped_gradient(const LstmShape<T>&, const LstmWorkspace<T>&, T*);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
