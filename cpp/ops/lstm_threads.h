// How an LSTM call is shared among threads: by rows (each thread runs its rows through all steps,
// no meeting), or by panels of hidden units (each thread keeps its share of the weights; all meet
// after every step).
#pragma once

#include "base/split.h"
#include "ops/lstm_workspace.h"
#include "ops/plan.h"

namespace lstmfast::ops {

struct LstmSharing {
  int threads;
  bool by_rows;

  base::Range rows(index batch, int tid, int n) const {
    return by_rows ? base::split(batch, tid, n) : base::Range{0, batch};
  }
  base::Range panels(index panels, int tid, int n) const {
    return by_rows ? base::Range{0, panels} : base::split(panels, tid, n);
  }
};

// flops: of the whole call. A step must be worth its barrier when panels are shared.
template <class T>
LstmSharing share_lstm(const LstmShape<T>& shape, const LstmWorkspace<T>& w, double flops,
                       bool has_lengths) {
  constexpr index kRowsPerThread = 8;
  constexpr double kFlopsPerMeeting = 2e5;
  const int threads = threads_for(flops, shape.panels > w.batch ? shape.panels : w.batch);
  if (threads == 1) return {1, true};
  // Rows of different lengths would make unequal shares.
  if (!has_lengths && w.batch >= kRowsPerThread * threads) return {threads, true};
  const double step = flops / double(w.steps);
  const int by_panels = threads_for(step / kFlopsPerMeeting * kFlopsPerThread, shape.panels / 2);
  if (by_panels > 1) return {by_panels < threads ? by_panels : threads, false};
  const index by_rows = w.batch / kRowsPerThread;
  return {by_rows > 1 && !has_lengths ? int(by_rows < threads ? by_rows : threads) : 1, true};
}

}  // namespace lstmfast::ops
