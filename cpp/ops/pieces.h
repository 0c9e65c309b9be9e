// Single kernels and the barrier on data of their own, for benchmarks: what training is made of,
// one piece at a time, with everything warm. Knows no calls.
#pragma once

#include <string>
#include <vector>

#include "base/plain.h"

namespace lstmfast::ops {

// Names of the pieces that Piece knows.
std::vector<std::string> piece_names();

// Runs a piece for `batch` rows of a layer `count` times; seconds of one run. One thread.
//   "back_through_time"  dh = dz R' of one step
//   "weight_gradient"    dW and dR of `batch` rows, packing included
//   "transpose"          R' and W'
//   "layer_norm"         the cell with layer norm, forward, of one step
template <class T>
double time_piece(const std::string& name, index batch, index input, index hidden, index count);

// Seconds of one meeting of `threads` threads, averaged over `count`; fewer threads may take part,
// as the team's limit says.
double time_barrier(int threads, index count);

}  // namespace lstmfast::ops
