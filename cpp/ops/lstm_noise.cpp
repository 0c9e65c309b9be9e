#include "ops/lstm_noise.h"

#include <algorithm>

#include "base/interrupt.h"
#include "ops/vector.h"

namespace lstmfast::ops {

template <class T>
void LstmMasks<T>::by_slot(Kind kind, const MaskValues<T>& values, index units, index stride,
                           T* mask) const {
  fill_random_mask(stream_of(call.noise, kind), values,
                   {w.rows.batch, 1, units, mask, stride, 0, w.rows.slot_row, 0, stride});
}

template <class T>
void LstmMasks<T>::by_step(Kind kind, const MaskValues<T>& values, index units, index stride,
                           T* mask) const {
  const LstmRows<T>& rows = w.rows;
  const index steps = w.chunk_end - w.chunk_begin;
  const index grain = std::max<index>(1, kStreamGrain / std::max<index>(1, rows.batch * units));
  for_shares(steps, grain, [&](index begin, index end) {
    kernels::RandomMask<T> part = random_rows(stream_of(call.noise, kind), values);
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

template <class T>
void LstmMasks<T>::draw(const T* block) const {
  const LstmNoise& n = call.noise;
  const index O = shape.outputs(), I = shape.input, H = shape.hidden, V = shape.lanes;
  if (w.x_mask) by_slot(Kind::input, dropout_values<T>(n.input), I, I, w.x_mask);
  if (w.recurrent_mask && !n.recurrent_per_step)
    by_slot(Kind::recurrent, dropout_values<T>(n.recurrent), O, w.h_stride, w.recurrent_mask);
  if (!w.weight_mask) return;
  // Row k of the recurrent kernel is drawn in logical order, gate after gate.
  const index G = shape.gates;
  const base::RandomStream stream = stream_of(n, Kind::weight);
  std::copy_n(block, shape.peephole_offset(), w.dropped_weights);
  for (index k = 0; k < O; ++k) {
    fill_random_mask(stream, dropout_values<T>(n.weight),
                     {1, 1, G * H, w.weight_row, G * H, 0, &k, 0, G * H});
    for (index p = 0; p < shape.panels; ++p) {
      const index row = shape.weight_row(p), lanes = p == shape.tail_panel() ? shape.tail.units : V;
      T* mask = w.weight_mask + p * O * shape.row_elements() + k * row;
      T* weights = w.dropped_weights + p * shape.panel_stride() + (shape.recurrent_row() + k) * row;
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
void LstmMasks<T>::draw_chunk() const {
  const LstmRows<T>& rows = w.rows;
  const CellOptions& o = shape.options;
  const index O = shape.outputs(), I = shape.input;
  if (w.recurrent_mask && call.noise.recurrent_per_step)
    by_step(Kind::recurrent, dropout_values<T>(call.noise.recurrent), O, w.h_stride,
            w.recurrent_mask);
  if (w.keep_h) by_step(Kind::zoneout_h, zoneout_values<T>(o.zoneout_h), O, w.h_stride, w.keep_h);
  if (w.keep_c)
    by_step(Kind::zoneout_c, zoneout_values<T>(o.zoneout_c), shape.hidden, w.u_stride, w.keep_c);
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
void LstmMasks<T>::add_dropped_gradient(T* dblock) const {
  for (index p = 0; p < shape.panels; ++p) {
    const index row = shape.weight_row(p);
    const index fixed = shape.recurrent_row() * row, dropped = shape.outputs() * row;
    const T* from = w.dropped_gradient + p * shape.panel_stride();
    const T* mask = w.weight_mask + p * shape.outputs() * shape.row_elements();
    T* to = dblock + p * shape.panel_stride();
    for (index j = 0; j < fixed; ++j) to[j] += from[j];
    for (index j = 0; j < dropped; ++j) to[fixed + j] += mask[j] * from[fixed + j];
  }
}

template struct LstmMasks<float>;
template struct LstmMasks<double>;

}  // namespace lstmfast::ops
