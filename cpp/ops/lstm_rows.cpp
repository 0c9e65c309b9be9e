#include "ops/lstm_rows.h"

#include <algorithm>
#include <numeric>

namespace lstmfast::ops {
namespace {

// f(time) for the real steps of a row, in the direction of the call.
template <class T, class F>
void for_real_steps(const LstmCall<T>& call, index row, F f) {
  const unsigned char* mask = call.mask ? call.mask + row * call.steps : nullptr;
  const index end = call.lengths ? call.lengths[row] : call.steps;
  for (index i = 0; i < end; ++i) {
    const index t = call.reverse ? end - 1 - i : i;
    if (!mask || mask[t]) f(t);
  }
}

template <class T>
index real_steps(const LstmCall<T>& call, index row) {
  index count = 0;
  for_real_steps(call, row, [&](index) { ++count; });
  return count;
}

// Does a sequence begin between two neighbouring real steps of a row? `from` is the one before in
// the direction of the call, or -1 before the first.
bool resets_between(const unsigned char* resets, index from, index to) {
  if (from > to) std::swap(from, to);
  return std::any_of(resets + from + 1, resets + to + 1, [](unsigned char r) { return r != 0; });
}

}  // namespace

template <class T>
void LstmRows<T>::order(const LstmCall<T>& call) {
  batch = call.batch;
  base::Planner rows_plan;
  const bool ragged = call.lengths || call.mask;
  // At most as many as the call has: known before anything is counted.
  const index cells = call.cells ? call.steps * batch : 0, most = call.steps * batch;
  const auto slot_row_at = rows_plan.add<index>(batch), length_at = rows_plan.add<index>(batch);
  const auto row_length_at = rows_plan.add<index>(ragged ? batch : 0);
  const auto active_at = rows_plan.add<index>(call.steps + 1);
  const auto first_at = rows_plan.add<index>(call.steps + 1);
  const auto x_at = rows_plan.add<index>(most), y_at = rows_plan.add<index>(most);
  const auto positions_at = rows_plan.add<index>(most), cells_at = rows_plan.add<index>(cells);
  const auto resets_at = rows_plan.add<unsigned char>(call.resets ? most : 0);
  const auto any_at = rows_plan.add<unsigned char>(call.resets ? call.steps : 0);
  arena_.reserve(rows_plan);
  slot_row = arena_.at(slot_row_at);
  slot_length = arena_.at(length_at);
  active = arena_.at(active_at);
  first_row = arena_.at(first_at);
  x_offsets = arena_.at(x_at);
  y_offsets = arena_.at(y_at);
  positions = arena_.at(positions_at);
  cells_offsets = arena_.at(cells_at);
  resets = arena_.at(resets_at);
  any_reset = arena_.at(any_at);

  std::iota(slot_row, slot_row + batch, index(0));
  if (ragged) {
    index* lengths = arena_.at(row_length_at);
    for (index b = 0; b < batch; ++b) lengths[b] = real_steps(call, b);
    // Equal lengths keep their order; std::stable_sort would allocate.
    std::sort(slot_row, slot_row + batch, [lengths](index a, index b) {
      return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
    });
    for (index s = 0; s < batch; ++s) slot_length[s] = lengths[slot_row[s]];
  } else {
    std::fill_n(slot_length, batch, call.steps);
  }
  steps = batch > 0 ? slot_length[0] : 0;
  index rows = batch;
  first_row[0] = 0;
  for (index k = 0; k < steps; ++k) {
    while (slot_length[rows - 1] <= k) --rows;
    active[k] = rows;
    first_row[k + 1] = first_row[k] + rows;
  }
  active[steps] = 0;
  total = first_row[steps];
  padded = total < most;
  place(call);
}

template <class T>
void LstmRows<T>::place(const LstmCall<T>& call) {
  if (any_reset) std::fill_n(any_reset, steps, static_cast<unsigned char>(0));
  for (index s = 0; s < batch; ++s) {
    const index b = slot_row[s];
    index k = 0, before = -1;
    for_real_steps(call, b, [&](index t) {
      const index r = first_row[k] + s;
      x_offsets[r] = b * call.x_row + t * call.x_step;
      y_offsets[r] = b * call.y_row + t * call.y_step;
      if (cells_offsets) cells_offsets[r] = b * call.cells_row + t * call.cells_step;
      positions[r] = t;
      if (resets) {
        // The last real step has nothing behind it that a reversed row could cross.
        const bool first = call.reverse && k == 0;
        const bool reset = !first && resets_between(call.resets + b * call.steps, before, t);
        resets[k * batch + s] = reset ? 1 : 0;
        any_reset[k] |= resets[k * batch + s];
      }
      before = t;
      ++k;
    });
  }
}

template <class T>
void fill_padding(const LstmRows<T>& rows, const LstmCall<T>& call, index outputs, index hidden) {
  if (!rows.padded) return;
  for (index s = 0; s < rows.batch; ++s) {
    const index b = rows.slot_row[s], length = rows.slot_length[s];
    const T* held = nullptr;
    // Walks all times in the direction of the call; k counts the real ones.
    for (index i = 0, k = 0; i < call.steps; ++i) {
      const index t = call.reverse ? call.steps - 1 - i : i;
      if (k < length && rows.positions[rows.first_row[k] + s] == t) {
        if (call.hold && call.y) held = call.y + rows.y_offsets[rows.first_row[k] + s];
        ++k;
        continue;
      }
      if (call.y) {
        T* y = call.y + b * call.y_row + t * call.y_step;
        held ? std::copy_n(held, outputs, y) : std::fill_n(y, outputs, T(0));
      }
      if (call.cells)
        std::fill_n(call.cells + b * call.cells_row + t * call.cells_step, hidden, T(0));
    }
  }
}

template <class T>
void gather_held(const LstmRows<T>& rows, const LstmCall<T>& call, index outputs, const T* dy,
                 T* out) {
  for (index s = 0; s < rows.batch; ++s) {
    const index b = rows.slot_row[s], length = rows.slot_length[s];
    T* sum = nullptr;
    for (index i = 0, k = 0; i < call.steps; ++i) {
      const index t = call.reverse ? call.steps - 1 - i : i;
      const T* d = dy + b * call.y_row + t * call.y_step;
      if (k < length && rows.positions[rows.first_row[k] + s] == t) {
        sum = out + (rows.first_row[k] + s) * outputs;
        std::copy_n(d, outputs, sum);
        ++k;
      } else if (sum) {
        for (index u = 0; u < outputs; ++u) sum[u] += d[u];
      }
    }
  }
}

#define LF_INSTANTIATE(T)                                                           \
  template class LstmRows<T>;                                                       \
  template void fill_padding(const LstmRows<T>&, const LstmCall<T>&, index, index); \
  template void gather_held(const LstmRows<T>&, const LstmCall<T>&, index, const T*, T*);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
