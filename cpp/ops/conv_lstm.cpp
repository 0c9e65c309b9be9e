#include "ops/conv_lstm.h"

#include <algorithm>

#include "kernels/table.h"
#include "ops/lstm_noise.h"
#include "ops/plan.h"
#include "ops/random_mask.h"
#include "ops/vector.h"

namespace lstmfast::ops {

template <class T>
ConvLstmShape<T>::ConvLstmShape(index channels_, index filters_, index taps)
    : channels(channels_), filters(filters_), input(1, 1), recurrent(1, 1) {
  const index lanes = input.lanes, outputs = 4 * ((filters + lanes - 1) / lanes * lanes);
  input = LinearShape<T>(taps * channels, outputs);
  recurrent = LinearShape<T>(taps * filters, outputs);
  LF_ASSERT(input.groups == 4);
}

template <class T>
PartLayout ConvLstmShape<T>::with_gates(PartLayout part) const {
  part.groups = 4;
  part.units = filters;
  part.columns = 4 * filters;
  part.gates = true;
  return part;
}

template <class T>
void ConvLstm<T>::arrange(const ConvLstmShape<T>& shape, const CellOptions& cell,
                          const Extent& extent) {
  shape_ = &shape;
  cell_ = &cell;
  extent_ = extent;
  keeps_ = extent.training;
  rows_ = extent.batch * windows();
  const index padded = shape.padded(), panel = rows_ * shape.row();
  const index steps = keeps_ ? extent.steps : 1;
  input_.arrange(shape.input, extent.y, extent.x, shape.channels,
                 {shape.channels, extent.steps * sample(), panel}, keeps_);
  const auto same = [](const kernels::Windows& w) {
    return make_windows(w.count, w.taps, 1, 1, Padding::same);
  };
  recurrent_.arrange(shape.recurrent, same(extent.y), same(extent.x), shape.filters,
                     {padded, windows() * padded, panel}, keeps_);
  z_.reserve(steps * 4 * rows_ * padded);
  c_.reserve((keeps_ ? steps + 1 : 1) * rows_ * padded);
  h_.reserve((keeps_ ? steps + 1 : 2) * rows_ * padded);
  if (keeps_) {
    dh_.reserve(rows_ * padded);
    dc_.reserve(rows_ * padded);
    if (extent.noise.input > 0) {
      x_mask_.reserve(extent.batch * sample());
      x_.reserve(extent.batch * extent.steps * sample());
    }
    if (extent.noise.recurrent > 0) {
      h_mask_.reserve(rows_ * padded);
      h_in_.reserve(rows_ * padded);
    }
  }
  y_offsets_.resize(static_cast<std::size_t>(rows_));
  for (index r = 0; r < rows_; ++r) {
    const index b = r / windows();
    y_offsets_[static_cast<std::size_t>(r)] =
        (b * extent.steps * windows() + r % windows()) * shape.filters;
  }
}

// f(first, last) for the runs of samples whose step t is real.
template <class T>
template <class F>
void ConvLstm<T>::for_real(const ConvLstmCall<T>& call, index t, F&& f) const {
  for (index b = 0, end = 0; b < call.batch; b = end + 1) {
    for (end = b; end < call.batch && real(call, end, t);) ++end;
    if (b < end) f(b, end);
  }
}

// f(b) for the other samples.
template <class T>
template <class F>
void ConvLstm<T>::for_masked(const ConvLstmCall<T>& call, index t, F&& f) const {
  if (call.mask == nullptr) return;
  for (index b = 0; b < call.batch; ++b) {
    if (!real(call, b, t)) f(b);
  }
}

// Whether the y of the last step is h and not 0.
template <class T>
bool ConvLstm<T>::shows_last(const ConvLstmCall<T>& call, index b) const {
  if (call.mask == nullptr) return true;
  if (!call.hold) return extent_.steps > 0 && real(call, b, extent_.steps - 1);
  const unsigned char* const mask = call.mask + b * extent_.steps;
  return std::any_of(mask, mask + extent_.steps, [](auto m) { return m != 0; });
}

// f(rows) for shares of these rows, where a thread computes cells.
template <class T>
template <class F>
void ConvLstm<T>::for_rows(index row0, index row1, F&& f) const {
  const index grain = std::max<index>(1, kMathGrain / (5 * shape_->padded()));
  for_shares(row1 - row0, grain,
             [&](index begin, index end) { f(base::Range{row0 + begin, row0 + end}); });
}

// Rows of filters from and to rows whose panels lie `panel` elements apart, with `row` elements
// each; padding becomes 0. Logical null: zeros.
template <class T>
void ConvLstm<T>::load(index batch, const T* logical, index panel, index row, T* padded) const {
  const index F = shape_->filters, V = shape_->lanes();
  for_items(batch * windows(), shape_->padded(), [&](index begin, index end) {
    for (index r = begin; r < end; ++r) {
      for (index p = 0; p < shape_->panels(); ++p) {
        T* const to = padded + p * panel + r * row;
        const index n = logical == nullptr ? 0 : std::min(V, F - p * V);
        if (n > 0) std::copy_n(logical + r * F + p * V, n, to);
        std::fill(to + n, to + V, T(0));
      }
    }
  });
}
template <class T>
void ConvLstm<T>::store(index batch, const T* padded, index panel, index row, T* logical) const {
  if (logical == nullptr) return;
  const index F = shape_->filters, V = shape_->lanes();
  for_items(batch * windows(), shape_->padded(), [&](index begin, index end) {
    for (index r = begin; r < end; ++r) {
      for (index p = 0; p < shape_->panels(); ++p)
        std::copy_n(padded + p * panel + r * row, std::min(V, F - p * V), logical + r * F + p * V);
    }
  });
}

// The masks of the call, one for all steps, and x times its mask.
template <class T>
void ConvLstm<T>::draw(const ConvLstmCall<T>& call) {
  const index C = shape_->channels, P = shape_->padded(), steps = extent_.steps, size = sample();
  if (extent_.noise.input > 0) {
    T* const mask = x_mask_.data();
    fill_random_mask(stream_of(call.noise, NoiseKind::input),
                     dropout_values<T>(extent_.noise.input),
                     {call.batch, size / C, C, mask, size, C});
    for (index i = 0; i < call.batch * steps; ++i)
      multiply(size, call.x + i * size, mask + i / steps * size, x_.data() + i * size);
  }
  if (extent_.noise.recurrent > 0) {
    MaskBlock<T> block{call.batch, windows(), shape_->filters, h_mask_.data(), windows() * P, P};
    block.padded = P;
    fill_random_mask(stream_of(call.noise, NoiseKind::recurrent),
                     dropout_values<T>(extent_.noise.recurrent), block);
  }
}

// The h that step t reads.
template <class T>
const T* ConvLstm<T>::dropped_h(index batch, index t) {
  if (!drops_ || extent_.noise.recurrent == 0) return h_at(t);
  multiply(batch * windows() * shape_->padded(), h_at(t), h_mask_.data(), h_in_.data());
  return h_in_.data();
}

// What both directions of a step have in common.
template <class T>
template <class Step>
void ConvLstm<T>::place(Step& step, base::Range rows, index t) {
  const index V = shape_->lanes();
  step.row0 = rows.begin;
  step.row1 = rows.end;
  step.panel1 = shape_->panels();
  step.hidden = shape_->filters;
  step.gates = keeps_ ? z_at(t) : nullptr;
  step.gate_panel_stride = rows_ * 4 * V;
  step.c = c_at(t + 1);
  step.c_prev = c_at(t);
  step.c_panel_stride = rows_ * V;
  step.cell.options = cell_;
}

template <class T>
void ConvLstm<T>::step(const ConvLstmCall<T>& call, const T* x, index t) {
  const index W = windows(), P = shape_->padded(), V = shape_->lanes(), row = 4 * V;
  const bool has_h = t > 0 || call.h0 != nullptr;
  const T* const h = has_h ? dropped_h(call.batch, t) : nullptr;
  T* const y = call.last ? nullptr : call.y;
  for_real(call, t, [&](index b, index end) {
    T* const z = z_at(t) + b * W * row;
    const T* const from = x + (b * extent_.steps + time(call, t)) * sample();
    input_.forward(call.input, end - b, from, z, {}, z);
    if (has_h) recurrent_.accumulate(call.recurrent, end - b, h + b * W * P, z);
    for_rows(b * W, end * W, [&](base::Range rows) {
      kernels::StepForward<T> s{};
      place(s, rows, t);
      s.tail_panel = -1;
      s.row_panels = int(plan().row_panels);
      s.z_in = z_at(t);
      s.z_panel_stride = rows_ * row;
      s.c_prev_panel_stride = rows_ * V;
      s.h = h_at(t + 1);
      s.h_stride = P;
      s.y = y == nullptr ? nullptr : y + t * cells();
      s.y_offsets = y_offsets_.data();
      kernels::table<T>().step_forward(s);
    });
  });
  for_masked(call, t, [&](index b) {
    std::copy_n(h_at(t) + b * W * P, W * P, h_at(t + 1) + b * W * P);
    for (index p = 0; keeps_ && p < shape_->panels(); ++p) {
      const index first = (p * rows_ + b * W) * V;
      std::copy_n(c_at(t) + first, W * V, c_at(t + 1) + first);
    }
    if (y == nullptr) return;
    T* const to = y + (b * extent_.steps + t) * cells();
    call.hold&& t > 0 ? std::copy_n(to - cells(), cells(), to) : std::fill_n(to, cells(), T(0));
  });
}

template <class T>
void ConvLstm<T>::forward(const ConvLstmCall<T>& call, bool training) {
  const index P = shape_->padded(), V = shape_->lanes(), panel = rows_ * V, T_ = extent_.steps;
  drops_ = training;
  load(call.batch, call.h0, V, P, h_at(0));
  load(call.batch, call.c0, panel, V, c_at(0));
  if (training) draw(call);
  const T* const x = training && extent_.noise.input > 0 ? x_.data() : call.x;
  for (index t = 0; t < T_; ++t) step(call, x, t);
  store(call.batch, h_at(T_), V, P, call.h_n);
  store(call.batch, c_at(T_), panel, V, call.c_n);
  if (!call.last || call.y == nullptr) return;
  store(call.batch, h_at(T_), V, P, call.y);
  for (index b = 0; b < call.batch; ++b) {
    if (!shows_last(call, b)) std::fill_n(call.y + b * cells(), cells(), T(0));
  }
}

template <class T>
void ConvLstm<T>::step_backward(const ConvLstmCall<T>& call, const ConvLstmGradients<T>& d,
                                const T* x, index t) {
  const index W = windows(), P = shape_->padded(), V = shape_->lanes();
  const bool has_h = t > 0 || call.h0 != nullptr, wants_dh = t > 0 || d.dh0 != nullptr;
  const T* const h = has_h && d.drecurrent != nullptr ? dropped_h(call.batch, t) : nullptr;
  T* const dy = call.last ? nullptr : d.dy;
  for_real(call, t, [&](index b, index end) {
    for_rows(b * W, end * W, [&](base::Range rows) {
      kernels::StepBackward<T> s{};
      place(s, rows, t);
      s.dy = dy == nullptr ? nullptr : dy + t * cells();
      s.dy_offsets = y_offsets_.data();
      s.dh = dh_.data();
      s.dh_stride = P;
      s.dc = dc_.data();
      s.dc_panel_stride = rows_ * V;
      kernels::table<T>().step_backward(s);
    });
    const T* const dz = z_at(t) + b * W * 4 * V;
    const index at = (b * extent_.steps + time(call, t)) * sample();
    input_.backward(end - b, x + at, dz, d.dx == nullptr ? nullptr : d.dx + at, d.dinput, d.bias);
    T* const dh = dh_.data() + b * W * P;
    recurrent_.backward(end - b, h == nullptr ? nullptr : h + b * W * P, dz,
                        wants_dh ? dh : nullptr, h == nullptr ? nullptr : d.drecurrent, false);
    if (wants_dh && extent_.noise.recurrent > 0)
      multiply((end - b) * W * P, dh, h_mask_.data() + b * W * P, dh);
  });
  for_masked(call, t, [&](index b) {
    const index at = b * extent_.steps;
    if (d.dx != nullptr) std::fill_n(d.dx + (at + time(call, t)) * sample(), sample(), T(0));
    T* const from = dy == nullptr ? nullptr : dy + (at + t) * cells();
    if (from != nullptr && call.hold && t > 0) add(cells(), from - cells(), from, from - cells());
  });
}

template <class T>
void ConvLstm<T>::backward(const ConvLstmCall<T>& call, const ConvLstmGradients<T>& d) {
  const index P = shape_->padded(), V = shape_->lanes(), panel = rows_ * V, F = shape_->filters;
  const index size = sample(), rows = call.batch * windows();
  load(call.batch, d.dh_n, V, P, dh_.data());
  load(call.batch, d.dc_n, panel, V, dc_.data());
  for (index r = 0; call.last && d.dy != nullptr && r < rows; ++r) {
    if (!shows_last(call, r / windows())) continue;
    for (index i = 0; i < F; ++i) dh_[r * P + i] += d.dy[r * F + i];
  }
  if (d.dx != nullptr) input_.transpose(call.input);
  recurrent_.transpose(call.recurrent);
  const T* const x = extent_.noise.input > 0 ? x_.data() : call.x;
  for (index t = extent_.steps; t-- > 0;) step_backward(call, d, x, t);
  for (index i = 0; d.dx != nullptr && extent_.noise.input > 0 && i < call.batch * extent_.steps;
       ++i)
    multiply(size, d.dx + i * size, x_mask_.data() + i / extent_.steps * size, d.dx + i * size);
  store(call.batch, dh_.data(), V, P, d.dh0);
  store(call.batch, dc_.data(), panel, V, d.dc0);
}

template struct ConvLstmShape<float>;
template struct ConvLstmShape<double>;
template class ConvLstm<float>;
template class ConvLstm<double>;

}  // namespace lstmfast::ops
