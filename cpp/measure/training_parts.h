// The parts of a training step, one at a time on warm data of their own, in float on one thread.
#pragma once

#include <string>
#include <vector>

#include "base/plain.h"

namespace lstmfast::measure {

// The names that time_training_part() takes.
std::vector<std::string> training_part_names();

// Runs a part for `batch` rows of a layer `count` times; seconds of one run.
//   "back_through_time"  dh = dz R' of one step
//   "weight_gradient"    dW and dR of `batch` rows, packing included
//   "transpose"          R' and W'
//   "layer_norm"         the cell with layer norm, forward, of one step
double time_training_part(const std::string& name, index batch, index input, index hidden,
                          index count);

}  // namespace lstmfast::measure
