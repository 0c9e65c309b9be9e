// How an LSTM call is shared among threads: by rows (each thread runs its rows through all steps of
// a run without a barrier), or by panels of hidden units (each thread keeps its share of the
// weights, with a barrier after every step).
#pragma once

#include <algorithm>

#include "base/interrupt.h"
#include "base/split.h"
#include "base/team.h"
#include "ops/lstm_rows.h"
#include "ops/plan.h"

namespace lstmfast::ops {

// The part of one thread.
struct LstmShare {
  int tid;
  base::Range rows;        // slots, all of them when panels are shared
  base::Range panels;      // of hidden units
  base::Range whole_rows;  // slots all of whose units it computes: for layer norm
  base::Barrier* barrier;  // null where threads need not wait for each other
  int threads;

  // False where another thread has thrown and ended the run.
  bool arrive_and_wait() const { return barrier == nullptr || barrier->wait(); }
  // The thread's share of `count` things of the same rows.
  base::Range part(index count) const {
    return barrier ? base::split(count, tid, threads) : base::Range{0, count};
  }
};

// The rows of a range that are active at step k.
template <class T>
base::Range active_rows(const LstmRows<T>& rows, base::Range range, index k) {
  return {range.begin, std::max(range.begin, std::min(range.end, rows.active[k]))};
}

struct LstmSharing {
  int threads;
  bool by_rows;
  double seconds;  // of one thread, for all steps forward

  // Runs f(LstmShare) on all threads, for some steps of the call. work: of the whole call, where
  // its forward pass is 1.
  template <class T, class F>
  void run(const LstmShape<T>& shape, const LstmRows<T>& rows, base::Range steps, double work,
           F&& f) const {
    base::team::run({threads, work * seconds}, [&](int tid, int n, base::Barrier& barrier) {
      const base::Range mine = {row_cut(rows, steps, tid, n), row_cut(rows, steps, tid + 1, n)};
      if (by_rows) {
        f(LstmShare{tid, mine, {0, shape.panels}, mine, nullptr, n});
      } else {
        f(LstmShare{tid,
                    {0, rows.batch},
                    base::split(shape.panels, tid, n),
                    base::split(rows.batch, tid, n),
                    n > 1 ? &barrier : nullptr,
                    n});
      }
    });
  }

 private:
  // The first slot of thread `part` of n. Shares have equal numbers of tokens of these steps: slots
  // are ordered by length, so equal numbers of rows would be unequal work.
  template <class T>
  static index row_cut(const LstmRows<T>& rows, base::Range steps, int part, int n) {
    if (part == n) return rows.batch;
    const index total = rows.first_row[steps.end] - rows.first_row[steps.begin];
    if (total == steps.size() * rows.batch) return base::split(rows.batch, part, n).begin;
    index before = 0, slot = 0;
    while (slot < rows.batch && before * n < total * part) {
      const index real = std::min(rows.slot_length[slot++], steps.end) - steps.begin;
      before += std::max<index>(0, real);
    }
    return slot;
  }
};

// flops: of the whole call, which also reads the weights once a step. A step must be worth its
// barrier when panels are shared.
template <class T>
LstmSharing share_lstm(const LstmShape<T>& shape, index batch, index steps, double flops) {
  const index rows = plan().thread_rows;
  const double read = double(shape.weight_bytes()) * double(steps);
  const double work = std::max(seconds_of(flops), read / (double(plan().read_gbs) * 1e9));
  const auto [threads, seconds] = threads_for_seconds(work, std::max(shape.panels, batch));
  if (threads == 1) return {1, true, seconds};
  if (batch >= rows * threads) return {threads, true, seconds};
  const double step_ns = seconds * 1e9 / double(std::max<index>(1, steps));
  const index by_panels = std::min({index(step_ns / double(std::max<index>(1, plan().barrier_ns))),
                                    shape.panels / 2, index(threads)});
  if (by_panels > 1) return {int(by_panels), false, seconds};
  return {int(std::max<index>(1, batch / rows)), true, seconds};
}

// Threads for the two directions of a layer, which share no data: two where one direction alone
// could not share its rows among threads, else one, so that the directions run in turn.
template <class T>
base::team::Request direction_threads(const LstmShape<T>& shape, index batch, index steps) {
  const double flops = shape.flops() * double(steps) * double(batch);
  const LstmSharing alone = share_lstm(shape, batch, steps, flops);
  const bool rows = alone.by_rows && alone.threads > 1;
  return rows || alone.threads > 2 ? base::team::Request(1)
                                   : threads_for_seconds(2 * alone.seconds, 2);
}

}  // namespace lstmfast::ops
