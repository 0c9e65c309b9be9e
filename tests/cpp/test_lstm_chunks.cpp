// The LSTM cut into pieces: chunks of steps that are recomputed or truncated, shares of threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "base/team.h"
#include "lstm_cells.h"

namespace lstmfast::ops {
namespace {

using test::Cell;
using test::cells;
using test::distance;
using test::LstmProblem;
using test::LstmResults;
using test::LstmSizes;
using test::tolerance;

class Threads {
 public:
  explicit Threads(int n) : before_(base::team::get_num_threads()) {
    base::team::set_num_threads(n);
  }
  ~Threads() { base::team::set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

TEST_CASE_TEMPLATE("lstm: recomputed steps have the bits of kept ones", T, float, double) {
  for (const Cell& cell : cells()) {
    LstmSizes sizes{9, 5, 3, kernels::table<T>().lanes + 1, cell.options, true, true, true};
    sizes.cells = sizes.reverse = true;
    for (const bool draw : {false, true}) {
      sizes.noise = {draw, 0.3, 0.25, true, 0.2, 7, 2, 5};
      sizes.recompute_every = 0;
      LstmResults<T> kept, again;
      LstmWorkspace<T> w;
      LstmProblem<T>(sizes).train(kept, w);
      for (const index every : {index(1), index(4), kRootOfSteps}) {
        CAPTURE(cell.name);
        CAPTURE(every);
        sizes.recompute_every = every;
        LstmProblem<T>(sizes).train(again, w);
        // Gradients of parameters are sums over other blocks, and over B rows where the bound has
        // one: its roundings grow with sqrt(B) < 4.
        CHECK(distance(again.dblock, kept.dblock) <= 4 * tolerance<T>(sizes));
        again.dblock = kept.dblock;
        CHECK(again == kept);
      }
    }
  }
}

TEST_CASE_TEMPLATE("lstm: truncated gradients are those of separate chunks", T, float, double) {
  // Rows of one length, in chunks of 2 of 5 steps: as calls whose states come without a gradient.
  for (const Cell& cell : cells()) {
    CAPTURE(cell.name);
    LstmSizes sizes{5, 3, 2, 7, cell.options};
    sizes.states = true;
    sizes.bptt_steps = 2;
    const LstmProblem<T> whole(sizes);
    LstmResults<T> expected;
    LstmWorkspace<T> w;
    whole.train(expected, w);
    const index I = sizes.input, O = whole.shape.outputs(), B = sizes.batch;
    std::vector<T> dblock(expected.dblock.size(), T(0)), dx(expected.dx.size(), T(test::kGuard));
    std::vector<T> h = whole.h0, c = whole.c0;
    for (index t = 0; t < sizes.steps; t += 2) {
      LstmResults<T> r;
      LstmCall<T> call = whole.call(r);
      call.bptt_steps = 0;
      call.steps = std::min<index>(2, sizes.steps - t);
      call.x += t * I;
      call.y += t * O;
      const std::vector<T> h0 = h, c0 = c;
      call.h0 = h0.data();
      call.c0 = c0.data();
      call.h_n = h.data();
      call.c_n = c.data();
      lstm_forward(whole.shape, whole.block.data(), call, true, w);
      LstmGradients<T> g{};
      const bool last = t + 2 >= sizes.steps;
      g.dy = whole.dy.data() + t * O;
      g.dh_n = last ? whole.dh_n.data() : nullptr;
      g.dc_n = last ? whole.dc_n.data() : nullptr;
      g.dx = dx.data() + t * I;
      std::vector<T> dh0(static_cast<std::size_t>(B * O)), dc0(whole.c0.size());
      g.dh0 = dh0.data();
      g.dc0 = dc0.data();
      g.dblock = dblock.data();
      g.bias = true;
      lstm_backward(whole.shape, whole.block.data(), call, g, w);
      if (t > 0) continue;
      CHECK(dh0 == expected.dh0);
      CHECK(dc0 == expected.dc0);
    }
    CHECK(h == expected.h_n);
    CHECK(c == expected.c_n);
    CHECK(dx == expected.dx);
    CHECK(distance(dblock, expected.dblock) <= 4 * tolerance<T>(sizes));  // sqrt(B) < 4, as above
  }
}

TEST_CASE_TEMPLATE("lstm: same bits for every number of threads", T, float, double) {
  const ActivationSpec tanh{Activation::tanh}, sigmoid{Activation::sigmoid};
  CellOptions projected, projected_norm;
  projected.projection = 90;
  projected.proj_clip = 0.4;
  projected.zoneout_h = projected.zoneout_c = 0.2;
  projected_norm = projected;
  projected_norm.layer_norm = true;
  const LstmNoise drawn{true, 0.3, 0.25, false, 0.2, 7, 2, 5};
  // By rows, also of several lengths, by panels of units, and with x projected ahead.
  const LstmSizes sizes[] = {
      {6, 34, 16, 65, {}, false, false, true},
      {6, 34, 16, 65, {}, true, true, true},
      {3, 3, 40, 260, {}, false, true, true},
      {4, 5, 20, 200, {}, true, true, true},
      {3, 33, 12, 70, {tanh, sigmoid, tanh, false, false, true}, false, true},
      // several blocks of steps projected ahead, at different paces
      {9, 36, 12, 130, {tanh, sigmoid, tanh, false, false, true}, true, true},
      {3, 4, 24, 200, {tanh, sigmoid, tanh, true, true, false}, true, false},
      {2, 3, 30, 220, {tanh, sigmoid, tanh, false, false, true}, true, true},
      // what follows the cell: shared by rows, by panels of other widths, and with layer norm
      {6, 34, 16, 65, projected, true, true, true, true, true, true, true, 2, 4, drawn},
      {4, 5, 20, 200, projected, true, true, true, false, false, false, true, 0, 2, drawn},
      {4, 3, 20, 260, projected_norm, true, true, true, true, false, true, true, 0, 0, drawn},
  };
  for (const LstmSizes& s : sizes) {
    CAPTURE(s.hidden);
    CAPTURE(s.options.layer_norm);
    const LstmProblem<T> problem(s);
    LstmResults<T> alone;
    {
      const Threads one(1);
      LstmWorkspace<T> w;
      problem.train(alone, w);
    }
    for (const int n : {2, 3}) {
      const Threads several(n);
      LstmResults<T> shared;
      LstmWorkspace<T> w;
      problem.train(shared, w);
      CHECK(shared == alone);
      for (int again = 0; again < 3 && !s.noise.draw; ++again) {  // warm, after training
        problem.infer(shared, w);
        CHECK(shared.y == alone.y);
        CHECK(shared.c_n == alone.c_n);
      }
    }
  }
}

}  // namespace lstmfast::ops
