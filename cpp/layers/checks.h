// Checks of input shapes that several layers share. Knows no layers.
#pragma once

#include "base/check.h"
#include "layers/shape.h"

namespace lstmfast::layers {

// Upper bound of `units` and of feature counts: products of two of them stay far from overflow.
constexpr index kMaxUnits = index{1} << 24;

// Throws unless the input of a layer is as expected.
inline void check_input(bool good, const std::string& kind, const Shape& input,
                        const std::string& expected) {
  LF_CHECK(good, "[" << kind << "] input of a sample has shape " << input.text() << "; expected "
                     << expected);
}

// Throws unless a sample has `built` features (0: any number).
inline void check_features(const char* kind, const Shape& input, index built) {
  const index features = input.rank >= 1 ? input.features() : 0;
  check_input(features > 0 && features <= kMaxUnits, kind, input,
              "(..., features) with features from 1 to " + std::to_string(kMaxUnits));
  check_input(built == 0 || features == built, kind, input,
              std::to_string(built) + " features, for which the layer has weights");
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
