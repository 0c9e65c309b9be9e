#include "ops/lstm_states.h"

#include <algorithm>

#include "ops/lstm_noise.h"

namespace lstmfast::ops {
namespace {

// f(panel, first unit, units) for the panels of H.
template <class T, class F>
void for_panels(const LstmShape<T>& shape, F f) {
  for (index p = 0; p < shape.c_panels(); ++p)
    f(p, p * shape.lanes, std::min(shape.lanes, shape.hidden - p * shape.lanes));
}

}  // namespace

template <class T>
void LstmStates<T>::set_chunk(index begin) const {
  w.chunk_begin = begin;
  w.chunk_end = std::min(w.rows.steps, begin + w.chunk_steps);
}

template <class T>
void LstmStates<T>::load() const {
  const index O = shape.outputs(), V = shape.lanes;
  const unsigned char* reset = w.rows.reset_at(0);
  for (index s = 0; s < w.rows.batch; ++s) {
    const index b = w.rows.slot_row[s];
    if (call.h0) {
      T* h = w.h_at(0) + s * w.h_stride;
      std::fill_n(std::copy_n(call.h0 + b * O, O, h), w.h_stride - O, T(0));
      if (reset && reset[s]) std::fill_n(h, O, T(0));
      if (w.h0) std::copy_n(h, w.h_stride, w.h0 + s * w.h_stride);
    }
    const T* const c0 = shape.first_c(call);
    if (!c0) continue;
    for_panels(shape, [&](index p, index unit, index n) {
      T* c = w.c + p * w.c_panel_stride + s * V;
      std::fill_n(std::copy_n(c0 + b * shape.hidden + unit, n, c), V - n, T(0));
    });
  }
}

template <class T>
void LstmStates<T>::store(index first, index last) const {
  const index O = shape.outputs(), H = shape.hidden;
  if (!call.h_n && !call.c_n) return;
  // The shortest rows are in the last slots.
  for (index s = w.rows.batch - 1; s >= 0 && w.rows.slot_length[s] <= last; --s) {
    const index b = w.rows.slot_row[s], length = w.rows.slot_length[s];
    if (length < first) continue;
    if (call.h_n) {
      const T* h = length > 0 ? w.h_at(length) + s * w.h_stride
                   : call.h0  ? call.h0 + b * O
                              : nullptr;
      h ? std::copy_n(h, O, call.h_n + b * O) : std::fill_n(call.h_n + b * O, O, T(0));
    }
    if (!call.c_n) continue;
    if (length == 0) {
      call.c0 ? std::copy_n(call.c0 + b * H, H, call.c_n + b * H)
              : std::fill_n(call.c_n + b * H, H, T(0));
      continue;
    }
    const T* c = w.c_after(length - 1, shape.lanes) + s * shape.lanes;
    for_panels(shape, [&](index p, index unit, index n) {
      std::copy_n(c + p * w.c_panel_stride, n, call.c_n + b * H + unit);
    });
  }
}

template <class T>
void LstmStates<T>::begin_chunk() const {
  if (!w.training) return;
  LstmMasks<T>{shape, call, w}.draw_chunk();
  const index k = w.chunk_begin;
  if (!w.keeps_h_in || !w.has_h(call, k)) return;
  const kernels::Table<T>& kernel = kernels::table<T>();
  for (index s = 0; s < w.rows.active[k]; ++s) {
    kernel.pointwise({kernels::PointwiseOp::multiply, shape.outputs(), 0, 0,
                      w.h_at(k) + s * w.h_stride,
                      w.recurrent_mask + s * w.h_stride,  // the first rows of a chunk, or of all
                      w.h_in_at(k) + s * w.h_stride});
  }
}

template <class T>
void LstmStates<T>::save_chunk() const {
  const index k = w.chunk_begin, V = shape.lanes, alive = w.rows.active[k];
  if (w.chunk_end == w.rows.steps) return;  // the last chunk, whose caches backward finds filled
  const index chunk = k / w.chunk_steps;
  T* const saved = w.saved_c + chunk * shape.c_panels() * w.rows.batch * V;
  for (index p = 0; p < shape.c_panels(); ++p)
    std::copy_n(w.c + p * w.c_panel_stride, alive * V, saved + p * w.rows.batch * V);
  std::copy_n(w.h_at(k), alive * w.h_stride, w.saved_h + chunk * w.rows.batch * w.h_stride);
}

template <class T>
void LstmStates<T>::next_chunk() const {
  const index k = w.chunk_end;
  const T* const c = w.c_after(k - 1, shape.lanes);
  for (index p = 0; p < shape.c_panels(); ++p)
    std::copy_n(c + p * w.c_panel_stride, w.rows.active[k] * shape.lanes,
                w.c + p * w.c_panel_stride);
  set_chunk(k);
}

template <class T>
void LstmStates<T>::restore_chunk(index begin) const {
  set_chunk(begin);
  const index V = shape.lanes, alive = w.rows.active[begin];
  const index chunk = begin / w.chunk_steps;
  const T* const saved = w.saved_c + chunk * shape.c_panels() * w.rows.batch * V;
  for (index p = 0; p < shape.c_panels(); ++p)
    std::copy_n(saved + p * w.rows.batch * V, alive * V, w.c + p * w.c_panel_stride);
  std::copy_n(w.saved_h + chunk * w.rows.batch * w.h_stride, alive * w.h_stride, w.h_at(begin));
}

template struct LstmStates<float>;
template struct LstmStates<double>;

}  // namespace lstmfast::ops
