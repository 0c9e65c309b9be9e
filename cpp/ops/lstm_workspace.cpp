#include "ops/lstm_workspace.h"

#include <algorithm>
#include <numeric>

namespace lstmfast::ops {
namespace {

// A panel stride in rows that is odd, so that panels do not start at the same cache sets.
index odd(index rows) { return rows | 1; }

// Fills the row order: slots by falling length, active rows and first packed row of every step.
template <class T>
void order_rows(LstmWorkspace<T>& w, const LstmCall<T>& call) {
  std::iota(w.slot_row, w.slot_row + w.batch, index(0));
  if (call.lengths) {
    const index* lengths = call.lengths;
    // Equal lengths keep their order; std::stable_sort would allocate.
    std::sort(w.slot_row, w.slot_row + w.batch, [lengths](index a, index b) {
      return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
    });
  }
  for (index s = 0; s < w.batch; ++s) {
    w.slot_length[s] = call.lengths ? call.lengths[w.slot_row[s]] : w.steps;
    w.x_offsets[s] = w.slot_row[s] * call.x_row;
    w.y_offsets[s] = w.slot_row[s] * call.y_row;
  }
  index rows = w.batch;
  w.first_row[0] = 0;
  for (index t = 0; t < w.steps; ++t) {
    while (rows > 0 && w.slot_length[rows - 1] <= t) --rows;
    w.active[t] = rows;
    w.first_row[t + 1] = w.first_row[t] + rows;
  }
  for (index t = 0; t < w.steps; ++t)
    for (index s = 0; s < w.active[t]; ++s)
      w.x_row_offsets[w.first_row[t] + s] = w.x_offsets[s] + t * call.x_step;
}

template <class T>
void order_resets(LstmWorkspace<T>& w, const LstmCall<T>& call) {
  for (index t = 0; t < w.steps; ++t) {
    unsigned char any = 0;
    for (index s = 0; s < w.batch; ++s) {
      const unsigned char reset =
          s < w.active[t] && call.resets[w.slot_row[s] * w.steps + t] ? 1 : 0;
      w.reset[t * w.batch + s] = reset;
      any |= reset;
    }
    w.any_reset[t] = any;
  }
}

}  // namespace

template <class T>
void LstmWorkspace<T>::plan(const LstmShape<T>& shape, const LstmCall<T>& call, bool training,
                            index ahead_rows) {
  trained = false;
  steps = call.steps;
  batch = call.batch;
  total =
      call.lengths ? std::accumulate(call.lengths, call.lengths + batch, index(0)) : steps * batch;
  const index G = shape.gates, V = shape.lanes, P = shape.panels;
  const index gate_rows = training ? total : ahead_rows;
  const index c_rows = training ? batch + total : batch;
  h_stride = P * V;
  if (h_stride * index(sizeof(T)) % 1024 == 0) h_stride += V;
  c_panel_stride = odd(c_rows) * V;
  gate_panel_stride = odd(gate_rows) * G * V;
  has_c0 = call.c0 != nullptr;

  base::Planner plan;
  const auto slot_row_at = plan.add<index>(batch), slot_length_at = plan.add<index>(batch);
  const auto active_at = plan.add<index>(steps), first_row_at = plan.add<index>(steps + 1);
  const auto x_offsets_at = plan.add<index>(batch), y_offsets_at = plan.add<index>(batch);
  const auto x_row_offsets_at = plan.add<index>(total);
  const auto reset_at = plan.add<unsigned char>(call.resets ? steps * batch : 0);
  const auto any_reset_at = plan.add<unsigned char>(call.resets ? steps : 0);
  const auto h_at = plan.add<T>(2 * batch * h_stride);
  const auto h0_at = plan.add<T>(training && call.h0 ? batch * h_stride : 0);
  const auto c_at = plan.add<T>(P * c_panel_stride);
  const auto gates_at = plan.add<T>(gate_rows ? P * gate_panel_stride : 0);
  const auto stats_at =
      plan.add<T>(shape.options.layer_norm ? (training ? total : batch) * (2 * G + 2) : 0);
  forward_.reserve(plan);
  slot_row = forward_.at(slot_row_at);
  slot_length = forward_.at(slot_length_at);
  active = forward_.at(active_at);
  first_row = forward_.at(first_row_at);
  x_offsets = forward_.at(x_offsets_at);
  y_offsets = forward_.at(y_offsets_at);
  x_row_offsets = forward_.at(x_row_offsets_at);
  reset = forward_.at(reset_at);
  any_reset = forward_.at(any_reset_at);
  h = forward_.at(h_at);
  h0 = forward_.at(h0_at);
  c = forward_.at(c_at);
  gates = forward_.at(gates_at);
  stats = forward_.at(stats_at);

  order_rows(*this, call);
  if (reset) order_resets(*this, call);
}

template <class T>
void LstmWorkspace<T>::plan_backward(const LstmShape<T>& shape, index transposed_size, index packed,
                                     int threads) {
  const index G = shape.gates, V = shape.lanes, P = shape.panels;
  const bool norm = shape.options.layer_norm;
  dc_panel_stride = odd(batch) * V;
  base::Planner plan;
  const auto dh_at = plan.add<T>(batch * h_stride);
  const auto dc_at = plan.add<T>(P * dc_panel_stride);
  const auto dnorm_at = plan.add<T>(norm ? batch * P * (2 * G + 2) * V : 0);
  const auto scratch_at = plan.add<T>(norm ? threads * P * (G + 1) * V : 0);
  const auto transposed_at = plan.add<T>(transposed_size);
  const auto packed_at = plan.add<T>(packed);
  const auto offsets_at = plan.add<index>(shape.options.peephole ? total : 0);
  backward_.reserve(plan);
  dh = backward_.at(dh_at);
  dc = backward_.at(dc_at);
  dnorm = backward_.at(dnorm_at);
  norm_scratch = backward_.at(scratch_at);
  transposed = backward_.at(transposed_at);
  packed_columns = backward_.at(packed_at);
  c_prev_offsets = backward_.at(offsets_at);
}

template class LstmWorkspace<float>;
template class LstmWorkspace<double>;

}  // namespace lstmfast::ops
