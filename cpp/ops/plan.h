// Heuristics that every operation shares: threads and widths of panels, from what plan.def says of
// this machine.
#pragma once

#include <string>
#include <string_view>

#include "base/team.h"

namespace lstmfast::ops {

struct Plan {
#define LF_PLAN(name, value, least, most) index name = value;
#include "ops/plan.def"
#undef LF_PLAN
};

// This process's, by LSTMFAST_PLAN, with nothing left at 0. Throws std::invalid_argument where that
// is malformed.
const Plan& plan();
// Replaces it by what LSTMFAST_PLAN would set with this text, and `plan_text` returns all of it so:
// for tests and measurements, while nothing else runs.
void set_plan(std::string_view text);
std::string plan_text();

// Seconds of so many floating-point operations: products reach some two thirds of the peak.
inline double seconds_of(double flops) { return flops / (double(plan().gflops) * 0.67e9); }

// Threads for work of `seconds` that splits into at most `parts` equal parts.
inline base::team::Request threads_for_seconds(double seconds, index parts) {
  const double worth = seconds * 1e6 / double(plan().thread_us);
  if (worth < 2 || parts < 2) return {1, seconds};
  const index limit = base::team::get_num_threads() < parts ? base::team::get_num_threads() : parts;
  return {worth < double(limit) ? int(worth) : int(limit), seconds};
}
inline base::team::Request threads_for(double flops, index parts) {
  return threads_for_seconds(seconds_of(flops), parts);
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
