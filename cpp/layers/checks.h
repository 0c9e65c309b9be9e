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

}  // namespace lstmfast::layers
