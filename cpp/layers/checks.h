// Checks of input shapes that several layers share. Knows no layers.
#pragma once

#include "base/check.h"
#include "layers/shape.h"

namespace lstmfast::layers {

// Upper bound of `units` and of feature counts: products of two of them stay far from overflow.
constexpr index kMaxUnits = index{1} << 24;

// Throws unless a sample has `built` features (0: any number).
inline void check_features(const char* kind, const Shape& input, index built) {
  const index features = input.rank >= 1 ? input.features() : 0;
  LF_CHECK(features > 0 && features <= kMaxUnits,
           "[" << kind << "] input of a sample has shape " << input.text()
               << "; expected (..., features) with features from 1 to " << kMaxUnits);
  LF_CHECK(built == 0 || features == built, "[" << kind << "] input of a sample has shape "
                                                << input.text() << "; expected " << built
                                                << " features, for which the layer has weights");
}

// An axis of a sample, given as one of an array whose axis 0 is the batch; negative ones count from
// the end.
inline int sample_axis(const char* kind, index axis, const Shape& input) {
  const index out = axis < 0 ? axis + input.rank : axis - 1;
  LF_CHECK(out >= 0 && out < input.rank, "[" << kind << "] axis is " << axis
                                             << "; expected one of a sample of shape "
                                             << input.text() << ", which counts from 1");
  return static_cast<int>(out);
}

}  // namespace lstmfast::layers
