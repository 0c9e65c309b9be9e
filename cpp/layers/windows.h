// Options and shapes of the layers that act on windows of one axis, (steps, features), or of two,
// (rows, columns, features). Knows neither convolution nor pooling.
#pragma once

#include <string>
#include <vector>

#include "base/options.h"
#include "layers/checks.h"
#include "ops/windows.h"

namespace lstmfast::layers {

// A size for each axis, or one for all.
base::Option sizes_option(const char* name, base::Fallback fallback, int axes);
base::Extents sizes_of(const base::Value& value, int axes);

base::Option padding_option(int axes, bool causal);
ops::Padding padding_of(const base::Value& value);

struct WindowAxes {
  int axes = 1;
  base::Extents taps;  // none: each window is the whole axis
  base::Extents strides, dilation;
  ops::Padding padding = ops::Padding::valid;

  // Of an axis, or of the second one where there is none.
  kernels::Windows windows(const Shape& input, int axis) const;
  // Throws for inputs that have no window. line: what errors call a single axis.
  Shape output_shape(const std::string& kind, const Shape& input, index features,
                     const std::string& line = "steps") const;
};

// Filters and axes of convolutions.
base::OptionTable convolution_options(int axes, bool causal);
WindowAxes convolution_axes(const base::Values& options, int axes);

}  // namespace lstmfast::layers
