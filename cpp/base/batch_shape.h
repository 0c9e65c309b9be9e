// The axes of a batch of samples, for code that needs more than rows and columns; must not know
// what the samples are.
#pragma once

#include "base/plain.h"

namespace lstmfast::base {

struct BatchShape {
  index samples = 0;            // the first axis
  const index* axes = nullptr;  // [rank] the axes after it; not owned
  index rank = 0;

  index count() const {
    index n = samples;
    for (index i = 0; i < rank; ++i) n *= axes[i];
    return n;
  }
};

}  // namespace lstmfast::base
