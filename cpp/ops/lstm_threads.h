// How an LSTM call is shared among threads: by rows (each thread runs its rows through all steps,
// no meeting), or by panels of hidden units (each thread keeps its share of the weights; all meet
// after every step).
#pragma once

#include <algorithm>

#include "base/split.h"
#include "ops/lstm_workspace.h"
#include "ops/plan.h"

namespace lstmfast::ops {

struct LstmSharing {
  int threads;
  bool by_rows;

  // Slots of thread `tid` of n, all of them when panels are shared.
  template <class T>
  base::Range rows(const LstmWorkspace<T>& w, int tid, int n) const {
    if (!by_rows) return {0, w.batch};
    return {row_cut(w, tid, n), row_cut(w, tid + 1, n)};
  }
  base::Range panels(index panels, int tid, int n) const {
    return by_rows ? base::Range{0, panels} : base::split(panels, tid, n);
  }

 private:
  // Where the share of thread `part` of n begins, by tokens: slots are ordered by length, so shares
  // of equal rows would be unequal work.
  template <class T>
  static index row_cut(const LstmWorkspace<T>& w, int part, int n) {
    if (part == n) return w.batch;
    if (w.total == w.steps * w.batch) return base::split(w.batch, part, n).begin;
    index before = 0, slot = 0;
    while (slot < w.batch && before * n < w.total * part) before += w.slot_length[slot++];
    return slot;
  }
};

// flops: of the whole call. A step must be worth its barrier when panels are shared.
template <class T>
LstmSharing share_lstm(const LstmShape<T>& shape, const LstmWorkspace<T>& w, double flops) {
  constexpr index kRowsPerThread = 8;
  constexpr double kFlopsPerMeeting = 2e5;
  const int threads = threads_for(flops, std::max(shape.panels, w.batch));
  if (threads == 1) return {1, true};
  if (w.batch >= kRowsPerThread * threads) return {threads, true};
  const double step = flops / double(w.steps);
  const index by_panels =
      std::min({index(step / kFlopsPerMeeting), shape.panels / 2, index(threads)});
  if (by_panels > 1) return {int(by_panels), false};
  return {int(std::max<index>(1, w.batch / kRowsPerThread)), true};
}

}  // namespace lstmfast::ops
