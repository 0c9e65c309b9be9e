#include "ops/lstm_workspace.h"

#include <algorithm>

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
void LstmWorkspace<T>::plan(const LstmShape<T>& shape, const LstmCall<T>& call, bool training_,
                            index ahead_rows) {
  training = training_;
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
  unit_stride = u_stride;
  c_panel_stride = odd(c_rows) * V;
  gate_panel_stride = odd(gate_rows) * G * V;
  has_c0 = call.c0 != nullptr;
  keeps_h_in = draws && noise.recurrent > 0;
  const bool drops_weights = draws && noise.weight > 0;
  if (o.preact_clip > 0) {
    const kernels::Table<T>& kernel = kernels::table<T>();
    const T clip = T(o.preact_clip), ends[2] = {-clip, clip};
    kernel.map({o.recurrent_activation, 2, ends, clip_values});
    kernel.map({o.activation, 2, ends, clip_values + 2});
  }
  norm_scratch_size = o.layer_norm ? (training ? 3 : 1) * (G + 1) * P * V : 0;

  base::Planner plan;
  const auto at_if = [&plan](bool wanted, index count) { return plan.add<T>(wanted ? count : 0); };
  const index recurrent_rows = noise.recurrent_per_step ? cached : B;
  const auto h_at = plan.add<T>(2 * B * h_stride);
  const auto h_in_at = at_if(keeps_h_in, (B + cached) * h_stride);
  const auto h0_at = at_if(training && call.h0, B * h_stride);
  const auto c_at = plan.add<T>(P * c_panel_stride);
  const auto gates_at = at_if(gate_rows > 0, P * gate_panel_stride);
  const auto stats_at = at_if(o.layer_norm, (training ? cached : B) * (2 * G + 2));
  const auto scratch_at = plan.add<T>(sharing.threads * norm_scratch_size);
  const auto u_at = at_if(o.projection > 0, (training ? cached : B) * u_stride);
  // With drawn masks h is one or the other, and where it is h_prev the clip does not matter.
  const bool hides_v = training && !draws && o.proj_clip > 0 && o.zoneout_h > 0;
  const auto v_at = at_if(hides_v, cached * h_stride);
  const auto saved_h_at = at_if(chunked, (chunks - 1) * B * h_stride);
  const auto saved_c_at = at_if(chunked, (chunks - 1) * P * B * V);
  const bool drops_x = draws && noise.input > 0;
  const auto x_at = at_if(drops_x, cached * shape.input);
  const auto x_starts_at = plan.add<index>(drops_x ? B : 0);
  const auto x_mask_at = at_if(drops_x, B * shape.input);
  const auto recurrent_at = at_if(keeps_h_in, recurrent_rows * h_stride);
  const auto keep_h_at = at_if(draws && o.zoneout_h > 0, cached * h_stride);
  const auto keep_c_at = at_if(draws && o.zoneout_c > 0, cached * unit_stride);
  const auto weight_mask_at = at_if(drops_weights, P * shape.outputs() * G * V);
  const auto weight_row_at = at_if(drops_weights, G * shape.hidden);
  const auto dropped_at = at_if(drops_weights, shape.peephole_offset());
  forward_.reserve(plan);
  h = forward_.at(h_at);
  h_in = keeps_h_in ? forward_.at(h_in_at) : h;
  h0 = forward_.at(h0_at);
  c = forward_.at(c_at);
  gates = forward_.at(gates_at);
  stats = forward_.at(stats_at);
  norm_scratch = forward_.at(scratch_at);
  u = forward_.at(u_at);
  v = forward_.at(v_at);
  saved_h = forward_.at(saved_h_at);
  saved_c = forward_.at(saved_c_at);
  x = forward_.at(x_at);
  x_starts = forward_.at(x_starts_at);
  for (index s = 0; drops_x && s < B; ++s) x_starts[s] = s * shape.input;
  x_mask = forward_.at(x_mask_at);
  recurrent_mask = forward_.at(recurrent_at);
  keep_h = forward_.at(keep_h_at);
  keep_c = forward_.at(keep_c_at);
  weight_mask = forward_.at(weight_mask_at);
  weight_row = forward_.at(weight_row_at);
  dropped_weights = forward_.at(dropped_at);
}

template <class T>
void LstmWorkspace<T>::plan_backward(const LstmShape<T>& shape, const Backward& needs) {
  const CellOptions& o = shape.options;
  const index B = rows.batch, G = shape.gates, V = shape.lanes, P = shape.panels;
  const index cached = rows.first_row[std::min(rows.steps, chunk_steps)];
  const bool finishes = finishes_h(o), projects = o.projection > 0;
  dc_panel_stride = odd(B) * V;
  base::Planner plan;
  const auto at_if = [&plan](bool wanted, index count) { return plan.add<T>(wanted ? count : 0); };
  const auto transposed_at = plan.add<T>(needs.transposed);  // first: it stays for later calls
  const auto dh_at = plan.add<T>(B * h_stride);
  const auto carry_at = at_if(finishes, B * h_stride);
  dv_stride = projects ? padded_outputs(shape.projection()) : h_stride;
  const auto dv_at = at_if(finishes, (projects ? cached : B) * dv_stride);
  const auto du_at = at_if(projects, B * u_stride);
  const auto dc_at = plan.add<T>(P * dc_panel_stride);
  const auto dnorm_at = at_if(o.layer_norm, B * P * (2 * G + 2) * V);
  const auto packed_at = plan.add<T>(needs.packed);
  const auto packed_gates_at = plan.add<T>(needs.packed_gates);
  const auto offsets_at = plan.add<index>(o.peephole ? cached : 0);
  const auto held_at = at_if(needs.held_dy, rows.total * shape.outputs());
  const auto held_cells_at = at_if(needs.held_dcells, rows.total * shape.hidden);
  const auto dy_offsets_at = plan.add<index>(needs.held_dy ? rows.total : 0);
  const auto dcells_offsets_at = plan.add<index>(needs.held_dcells ? rows.total : 0);
  const auto block_at = at_if(needs.block, shape.peephole_offset());
  const std::size_t bytes = backward_.bytes();
  backward_.reserve(plan);
  if (backward_.bytes() != bytes || transposed_of.size != needs.transposed) transposed_of = {};
  dh = backward_.at(dh_at);
  dh_carry = backward_.at(carry_at);
  dv = backward_.at(dv_at);
  if (projects) std::fill_n(dv, cached * dv_stride, T(0));
  du = backward_.at(du_at);
  dc = backward_.at(dc_at);
  dnorm = backward_.at(dnorm_at);
  transposed = backward_.at(transposed_at);
  packed_columns = backward_.at(packed_at);
  packed_gates = backward_.at(packed_gates_at);
  c_prev_offsets = backward_.at(offsets_at);
  held_dy = backward_.at(held_at);
  held_dcells = backward_.at(held_cells_at);
  held_dy_offsets = backward_.at(dy_offsets_at);
  held_dcells_offsets = backward_.at(dcells_offsets_at);
  for (index r = 0; r < rows.total; ++r) {
    if (held_dy) held_dy_offsets[r] = r * shape.outputs();
    if (held_dcells) held_dcells_offsets[r] = r * shape.hidden;
  }
  dropped_gradient = backward_.at(block_at);
  if (projects) reserve_columns(shape.projection(), cached, projection_scratch);
  backward_planned = true;
}

template class LstmWorkspace<float>;
template class LstmWorkspace<double>;

}  // namespace lstmfast::ops
