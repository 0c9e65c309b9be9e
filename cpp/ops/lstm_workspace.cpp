#include "ops/lstm_workspace.h"

#include <algorithm>

#include "ops/lstm_products.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

// A panel stride in rows that is odd, so that panels do not start at the same cache sets.
index odd(index rows) { return rows | 1; }

// A row stride of whole vectors that is no large power of two, for the same reason.
template <class T>
index padded(index elements, index lanes) {
  const index stride = (elements + lanes - 1) / lanes * lanes;
  return stride * index(sizeof(T)) % 1024 == 0 ? stride + lanes : stride;
}

// The root of n, rounded up.
index root_of(index n) {
  index root = 0;
  while (root * root < n) ++root;
  return root;
}

}  // namespace

template <class T>
void fill_clip_values(const CellOptions& options, T (&values)[4]) {
  if (options.preact_clip <= 0) return;
  const kernels::Table<T>& kernel = kernels::table<T>();
  const T clip = T(options.preact_clip), ends[2] = {-clip, clip};
  kernel.map({options.recurrent_activation, 2, ends, values});
  kernel.map({options.activation, 2, ends, values + 2});
}

template <class T>
void LstmWorkspace<T>::plan(const LstmShape<T>& shape, const LstmCall<T>& call, bool training_,
                            index ahead_rows_) {
  training = training_;
  ahead_rows = ahead_rows_;
  padded_steps = !training && sharing.by_rows && sharing.threads > 1;
  trained = backward_planned = false;
  const CellOptions& o = shape.options;
  const LstmNoise& noise = call.noise;
  const bool draws = training && noise.draw;
  const index B = rows.batch, G = shape.gates, V = shape.lanes, P = shape.panels;
  const index kept =
      call.recompute_every == kRootOfSteps ? root_of(call.steps) : call.recompute_every;
  const bool chunked = training && kept > 0 && kept < rows.steps;
  chunk_steps = chunked ? kept : std::max<index>(1, rows.steps);
  chunk_begin = 0;
  chunk_end = std::min(rows.steps, chunk_steps);
  const index chunks = (rows.steps + chunk_steps - 1) / chunk_steps;
  // The first chunk has the most rows.
  const index cached = training ? rows.first_row[chunk_end] : 0;
  const index gate_rows = training ? cached : ahead_rows;
  const index c_rows = training ? B + cached : B;
  h_stride = padded<T>(shape.outputs(), V);
  u_stride = padded<T>(shape.hidden, V);
  c_panel_stride = odd(c_rows) * V;
  gate_panel_stride = odd(gate_rows) * shape.kept_elements();
  has_c0 = shape.first_c(call) != nullptr;
  keeps_h_in = draws && noise.recurrent > 0;
  const bool drops_weights = draws && noise.weight > 0;
  fill_clip_values(o, clip_values);
  norm_scratch_size = o.layer_norm ? (training ? 3 : 1) * (G + 1) * P * V : 0;

  reduced_size = shape.is_reduced() ? reduced_room(shape, std::max(ahead_rows, B), B) : 0;

  const index recurrent_rows = noise.recurrent_per_step ? cached : B;
  // With drawn masks h is one or the other, and where it is h_prev the clip does not matter.
  const bool hides_v = training && !draws && o.proj_clip > 0 && o.zoneout_h > 0;
  const bool drops_x = draws && noise.input > 0;
  forward_.arrange([&](const auto& place) {
    place(h, 2 * B * h_stride);
    place(h_in, (B + cached) * h_stride, keeps_h_in);
    place(h0, B * h_stride, training && call.h0);
    place(reset_h, (training ? cached : B) * h_stride, shape.two_phases());
    place(c, P * c_panel_stride, shape.has_c());
    place(gates, P * gate_panel_stride, gate_rows > 0);
    place(stats, (training ? cached : B) * (2 * G + 2), o.layer_norm);
    place(norm_scratch, sharing.threads * norm_scratch_size);
    place(u, (training ? cached : B) * u_stride, o.projection > 0);
    place(v, cached * h_stride, hides_v);
    place(saved_h, (chunks - 1) * B * h_stride, chunked);
    place(saved_c, (chunks - 1) * shape.c_panels() * B * V, chunked && shape.has_c());
    place(x, cached * shape.input, drops_x);
    place(x_starts, B, drops_x);
    place(x_mask, B * shape.input, drops_x);
    place(recurrent_mask, recurrent_rows * h_stride, keeps_h_in);
    place(keep_h, cached * h_stride, draws && o.zoneout_h > 0);
    place(keep_c, cached * u_stride, draws && o.zoneout_c > 0);
    place(weight_mask, P * shape.outputs() * G * V, drops_weights);
    place(weight_row, G * shape.hidden, drops_weights);
    place(reduced_scratch, sharing.threads * reduced_size);
    place(dropped_weights, shape.peephole_offset(), drops_weights);
  });
  if (!keeps_h_in) h_in = h;
  for (index s = 0; drops_x && s < B; ++s) x_starts[s] = s * shape.input;
}

template <class T>
void LstmWorkspace<T>::plan_backward(const LstmShape<T>& shape, const LstmCall<T>& call,
                                     const LstmGradients<T>& d, index transposed_size) {
  const CellOptions& o = shape.options;
  const index B = rows.batch, G = shape.gates, V = shape.lanes, P = shape.panels;
  const index cached = rows.first_row[std::min(rows.steps, chunk_steps)];
  const bool finishes = finishes_h(o), projects = o.projection > 0;
  dc_panel_stride = odd(B) * V;
  const bool holds = call.hold && rows.padded, holds_dy = holds && d.dy != nullptr;
  const bool holds_dcells = holds && d.dcells != nullptr, weights = d.dblock != nullptr;
  products = shape.of_gradients();
  index widest = 0;
  column_tiles = 0;
  for (int i = 0; i < products.count; ++i) {
    const index mr = kernels::table<T>().tile_rows[products.at[i].gates];
    column_tiles += (products.at[i].rows + mr - 1) / mr;
    widest = std::max(widest, mr);
  }
  packed_tile = widest * std::min(cached, kReductionRows);
  // Of the gates, the rows of a block of steps: as many as a reduction takes, or those of one step.
  const index packed_rows = std::min(cached, std::max(kReductionRows, B));
  packed_gates_size = packed_rows * shape.tail_row() + V;
  dv_stride = projects ? shape.projection().padded_outputs() : h_stride;
  const std::size_t bytes = backward_.bytes();
  backward_.arrange([&](const auto& place) {
    place(transposed, transposed_size);  // first: it stays for later calls
    place(dh, B * h_stride);
    place(dreset_h, B * h_stride, shape.two_phases());
    place(dh_carry, B * h_stride, finishes);
    place(dv, (projects ? cached : B) * dv_stride, finishes);
    place(du, B * u_stride, projects);
    place(dc, P * dc_panel_stride, shape.has_c());
    place(dnorm, B * P * (2 * G + 2) * V, o.layer_norm);
    place(packed_columns, column_tiles * packed_tile, weights);
    place(packed_gates, products.count * packed_gates_size, weights && shape.tail.units > 0);
    place(c_prev_offsets, cached, o.peephole);
    place(held_dy, rows.total * shape.outputs(), holds_dy);
    place(held_dcells, rows.total * shape.hidden, holds_dcells);
    place(held_dy_offsets, rows.total, holds_dy);
    place(held_dcells_offsets, rows.total, holds_dcells);
    place(dropped_gradient, shape.peephole_offset(), weights && weight_mask);
  });
  if (backward_.bytes() != bytes || transposed_of.size != transposed_size) transposed_of = {};
  if (projects) std::fill_n(dv, cached * dv_stride, T(0));
  for (index r = 0; r < rows.total; ++r) {
    if (held_dy) held_dy_offsets[r] = r * shape.outputs();
    if (held_dcells) held_dcells_offsets[r] = r * shape.hidden;
  }
  if (projects) shape.projection().reserve_columns(cached, projection_scratch);
  backward_planned = true;
}

template void fill_clip_values(const CellOptions&, float (&)[4]);
template void fill_clip_values(const CellOptions&, double (&)[4]);
template class LstmWorkspace<float>;
template class LstmWorkspace<double>;

}  // namespace lstmfast::ops
