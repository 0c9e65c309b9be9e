// Where windows lie on an axis: the arithmetic of padding, strides and dilation, for convolutions,
// their gradients and pooling. Knows no layers.
#pragma once

#include <algorithm>

#include "kernels/windows.h"

namespace lstmfast::ops {

// valid: windows lie inside of the axis. same and causal: there is a window for each stride-th
// position, with half of the padding on either side (an odd one more on the right), or with all of
// it on the left, so that the last tap lies at that position.
enum class Padding { valid, same, causal };

// Positions from the first tap of a window to its last one.
inline index span_of(const kernels::Windows& w) { return (w.taps - 1) * w.dilation + 1; }

// The windows of an axis; count 0: it is too short.
inline kernels::Windows make_windows(index size, index taps, index stride, index dilation,
                                     Padding padding) {
  kernels::Windows w{size, taps, stride, dilation, 0, 0};
  const index span = span_of(w);
  if (padding == Padding::valid) {
    w.count = size < span ? 0 : (size - span) / stride + 1;
    return w;
  }
  w.count = (size + stride - 1) / stride;
  const index outside = std::max<index>(0, (w.count - 1) * stride + span - size);
  w.first = -(padding == Padding::causal ? span - 1 : outside / 2);
  return w;
}

// Whether no tap of windows begin .. end - 1 is padding.
inline bool inside(const kernels::Windows& w, index begin, index end) {
  return w.first + begin * w.stride >= 0 && w.first + (end - 1) * w.stride + span_of(w) <= w.size;
}

// The gradient of an axis is a sum over its windows. It is cut by phases: the positions `first`,
// `first` + stride, ... are reached by the taps `phase`, `phase` + stride, ..., and windows.taps of
// these meet as many neighbouring windows there, the last tap the first one. windows.size is that
// of the result, windows.count the positions. A dilation goes with stride 1 alone.
struct Phase {
  kernels::Windows windows;
  index first;
};
inline Phase gradient_phase(const kernels::Windows& w, index phase) {
  Phase out{};
  const index shift = (phase + w.first) % w.stride;
  out.first = shift < 0 ? shift + w.stride : shift;
  const index left = (out.first - w.first - phase) / w.stride;  // windows before the first position
  kernels::Windows& g = out.windows;
  g.size = w.count;
  g.taps = phase < w.taps ? (w.taps - phase + w.stride - 1) / w.stride : 0;
  g.stride = 1;
  g.dilation = w.stride == 1 ? w.dilation : 1;
  g.first = left - (g.taps - 1) * g.dilation;
  g.count = out.first < w.size ? (w.size - out.first + w.stride - 1) / w.stride : 0;
  return out;
}

}  // namespace lstmfast::ops
