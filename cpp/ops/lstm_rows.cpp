#include "ops/lstm_rows.h"

#include <algorithm>
#include <numeric>

#include "base/interrupt.h"

namespace lstmfast::ops {
namespace {

// The work of laying out a row at a step, in floating-point operations.
constexpr double kFlopsOfPlace = 20;

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

// f(time, k) for all steps of a slot in the direction of the call; k: which real step, or -1.
template <class T, class F>
void for_all_steps(const LstmRows<T>& rows, const LstmCall<T>& call, index slot, F f) {
  for (index i = 0, k = 0; i < call.steps; ++i) {
    const index t = call.reverse ? call.steps - 1 - i : i;
    const bool real = k < rows.slot_length[slot] && rows.positions[rows.first_row[k] + slot] == t;
    f(t, real ? k++ : -1);
  }
}

}  // namespace

template <class T>
void LstmRows<T>::order(const LstmCall<T>& call) {
  const bool ragged = call.lengths || call.mask, whole = !ragged && !call.resets;
  const std::array<index, 10> sizes = {
      call.batch,  call.steps,     call.x_row,      call.x_step,           call.y_row,
      call.y_step, call.cells_row, call.cells_step, call.cells != nullptr, call.reverse};
  if (whole && sizes == whole_rows_ && !arena_.keep()) return;
  whole_rows_ = {-1};
  batch = call.batch;
  // `most`: the steps of the call, a bound that is known before real steps are counted.
  const index most = call.steps * batch;
  index* lengths = nullptr;  // by row
  arena_.arrange([&](const auto& place) {
    place(slot_row, batch);
    place(slot_length, batch);
    place(lengths, batch, ragged);
    place(active, call.steps + 1);
    place(first_row, call.steps + 1);
    place(x_offsets, most);
    place(y_offsets, most);
    place(positions, most);
    place(cells_offsets, most, call.cells != nullptr);
    place(resets, most, call.resets != nullptr);
    place(any_reset, call.steps, call.resets != nullptr);
  });

  std::iota(slot_row, slot_row + batch, index(0));
  if (ragged) {
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
  if (whole) whole_rows_ = sizes;
}

template <class T>
void LstmRows<T>::place(const LstmCall<T>& call) {
  if (any_reset) std::fill_n(any_reset, steps, static_cast<unsigned char>(0));
  base::InterruptPoint point;
  for (index s = 0; s < batch; ++s) {
    const index b = slot_row[s];
    point.pass(kFlopsOfPlace * double(call.steps));
    const unsigned char* flags = call.resets ? call.resets + b * call.steps : nullptr;
    index k = 0, before = -1;
    for_real_steps(call, b, [&](index t) {
      const index r = first_row[k] + s;
      x_offsets[r] = b * call.x_row + t * call.x_step;
      y_offsets[r] = b * call.y_row + t * call.y_step;
      if (cells_offsets) cells_offsets[r] = b * call.cells_row + t * call.cells_step;
      positions[r] = t;
      if (flags) {
        const index flag = call.reverse ? before : t;  // the step whose beginning lies between
        resets[k * batch + s] = flag >= 0 && flags[flag] ? 1 : 0;
        any_reset[k] |= resets[k * batch + s];
      }
      before = t;
      ++k;
    });
  }
}

template <class T>
void LstmRows<T>::fill_padding(const LstmCall<T>& call, T* all, index row, index step, index width,
                               bool hold) const {
  if (!padded || !all) return;
  base::InterruptPoint point;
  for (index s = 0; s < batch; ++s) {
    point.pass(double(call.steps * width));
    const T* held = nullptr;
    for_all_steps(*this, call, s, [&](index t, index k) {
      T* const at = all + slot_row[s] * row + t * step;
      if (k >= 0) {
        if (hold) held = at;
      } else {
        held ? std::copy_n(held, width, at) : std::fill_n(at, width, T(0));
      }
    });
  }
}

template <class T>
void LstmRows<T>::gather_held(const LstmCall<T>& call, const T* d, index row, index step,
                              index width, T* out) const {
  base::InterruptPoint point;
  for (index s = 0; s < batch; ++s) {
    point.pass(double(call.steps * width));
    const T* const begin = d + slot_row[s] * row;
    T* sum = nullptr;
    for_all_steps(*this, call, s, [&](index t, index k) {
      const T* const at = begin + t * step;
      if (k >= 0) {
        sum = out + (first_row[k] + s) * width;
        std::copy_n(at, width, sum);
      } else if (sum) {
        for (index u = 0; u < width; ++u) sum[u] += at[u];
      }
    });
  }
}

template class LstmRows<float>;
template class LstmRows<double>;

}  // namespace lstmfast::ops
