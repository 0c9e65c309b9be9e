// Heuristics that every operation shares: threads and widths of panels.
#pragma once

#include "base/team.h"

namespace lstmfast::ops {

// Sharing work costs time even where no worker sleeps, so each thread must have some 10 us of work.
constexpr double kFlopsPerThread = 2e6;

// A rough average of one thread: from 64-bit floats on AVX2 to 32-bit ones on AVX-512 it is 20 to
// 270 GFLOP/s.
constexpr double kSecondsPerFlop = 1e-11;

// Threads for `flops` of arithmetic that splits into at most `parts` equal parts.
inline base::team::Request threads_for(double flops, index parts) {
  const double seconds = flops * kSecondsPerFlop;
  if (flops < 2 * kFlopsPerThread || parts < 2) return {1, seconds};
  const double worth = flops / kFlopsPerThread;
  const index limit = base::team::get_num_threads() < parts ? base::team::get_num_threads() : parts;
  return {worth < double(limit) ? int(worth) : int(limit), seconds};
}

// Vectors a panel for a matrix of `columns`: wide panels use the FMA units best, padding wastes
// them, and `parts` threads need a panel each. No bits depend on it.
inline int panel_vectors(index columns, index lanes, index parts = 1) {
  // of one vector in panels of 1 .. 4 vectors, by tile loads per FMA
  constexpr double kCost[] = {0, 1.25, 1.05, 1.02, 1.0};
  const index vectors = (columns + lanes - 1) / lanes;
  if (parts == 1 && vectors <= 4) return int(vectors);  // as the search below would
  int best = 1;
  double best_cost = 0;
  for (int nr = 1; nr <= 4; ++nr) {
    const index panels = (vectors + nr - 1) / nr, rounds = (panels + parts - 1) / parts;
    const double cost = kCost[nr] * double(rounds * nr);
    if (nr == 1 || cost < best_cost) {
      best = nr;
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace lstmfast::ops
