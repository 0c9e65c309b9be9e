// The masks of dropout. Knows how their random numbers are named, no layers.
#pragma once

#include "base/plain.h"
#include "base/rng.h"

namespace lstmfast::layers {

// mask [batch][steps][units] out, with rows row_stride and steps step_stride apart: 0 with
// probability rate, else 1 / (1 - rate). Number j of the stream at (row, step) decides unit j, so
// that a mask does not depend on the batch around its row.
template <class T>
void fill_dropout(const base::RandomStream& stream, double rate, index batch, index steps,
                  index units, T* mask, index row_stride, index step_stride);

}  // namespace lstmfast::layers
