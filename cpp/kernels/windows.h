// Windows along an axis, of convolutions and of pooling. Knows no layers.
#pragma once

#include "base/plain.h"

namespace lstmfast::kernels {

// Window j covers the positions first + j * stride + i * dilation of an axis, i = 0 .. taps - 1.
// Those outside of 0 .. size - 1 are padding.
struct Windows {
  index size;
  index taps, stride, dilation;
  index first;  // negative: window 0 begins in the padding
  index count;  // windows
};

}  // namespace lstmfast::kernels
