// The LSTM through time, against naive sums and central differences. All arrays are
// as long as the contracts say and no longer: run under AddressSanitizer, this finds every overrun.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lstm_cells.h"
#include "naive_lstm.h"

namespace lstmfast::ops {
namespace {

using test::Cell;
using test::cells;
using test::distance;
using test::LstmProblem;
using test::LstmResults;
using test::LstmSizes;
using test::Numbers;
using test::problems;
using test::tolerance;

}  // namespace

TEST_CASE_TEMPLATE("lstm: forward is the naive one, training has its bits", T, float, double) {
  for (const Cell& cell : cells()) {
    for (const LstmSizes& sizes : problems(cell.options, kernels::table<T>().lanes)) {
      CAPTURE(cell.name);
      CAPTURE(sizes.hidden);
      CAPTURE(sizes.batch);
      const LstmProblem<T> problem(sizes);
      const LstmResults<double> expected = test::naive(problem);
      LstmResults<T> found, trained;
      LstmWorkspace<T> w;
      problem.infer(found, w);
      CHECK(distance(found.y, expected.y) <= tolerance<T>(sizes));
      CHECK(distance(found.h_n, expected.h_n) <= tolerance<T>(sizes));
      CHECK(distance(found.c_n, expected.c_n) <= tolerance<T>(sizes));
      CHECK(distance(found.cells, expected.cells) <= tolerance<T>(sizes));
      problem.train(trained, w);
      CHECK(trained.cells == found.cells);
      CHECK(trained.y == found.y);
      CHECK(trained.h_n == found.h_n);
      CHECK(trained.c_n == found.c_n);
    }
  }
}

// Of a few numbers of every array.
void check_differences(const LstmSizes& sizes) {
  constexpr double kStep = 1e-5;  // the error is about its square, times a third derivative
  LstmProblem<double> problem(sizes);
  LstmResults<double> r;
  LstmWorkspace<double> w;
  problem.train(r, w);
  Numbers numbers;
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
    REQUIRE(values.size() == gradient.size());
    for (int sample = 0; sample < 3; ++sample) {
      const double where = (numbers.next() + 1) / 2 * double(values.size());
      const std::size_t i = std::min(static_cast<std::size_t>(where), values.size() - 1);
      if (std::isnan(values[i])) continue;  // in a gap
      const double before = values[i];
      values[i] = before + kStep;
      problem.pack();
      const double above = problem.loss(w);
      values[i] = before - kStep;
      problem.pack();
      const double below = problem.loss(w);
      values[i] = before;
      problem.pack();
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * kStep)).epsilon(1e-5));
    }
  };
  check(problem.x, r.dx);
  if (sizes.states) check(problem.h0, r.dh0);
  if (sizes.states) check(problem.c0, r.dc0);
  for (std::size_t p = 0; p < problem.parts.size(); ++p) {
    CAPTURE(problem.parts[p].name);
    std::vector<double> gradient(problem.params[p].size());
    export_part(problem.parts[p].layout, r.dblock.data(), gradient.data());
    check(problem.params[p], gradient);
  }
}

TEST_CASE("lstm: gradients are central differences") {
  for (const Cell& cell : cells()) {
    for (LstmSizes sizes : problems(cell.options, kernels::table<double>().lanes)) {
      if (sizes.options.layer_norm && sizes.hidden < 4) continue;  // too steep for differences
      CAPTURE(cell.name);
      CAPTURE(sizes.hidden);
      CAPTURE(sizes.batch);
      check_differences(sizes);
      // The same masks in every call; and those of zoneout, where the cell has it.
      sizes.noise = {true, 0.3, 0.25, sizes.batch % 2 == 0, 0.2, 7, 2, 5};
      check_differences(sizes);
    }
  }
}

TEST_CASE("lstm: gradients in float are those in double") {
  for (const Cell& cell : cells()) {
    for (const LstmSizes& sizes : problems(cell.options, kernels::table<float>().lanes)) {
      if (sizes.options.layer_norm && sizes.hidden < 4) continue;
      CAPTURE(cell.name);
      CAPTURE(sizes.hidden);
      CAPTURE(sizes.batch);
      const LstmProblem<float> problem(sizes);
      const LstmProblem<double> wide(sizes);
      LstmResults<float> found;
      LstmResults<double> expected;
      LstmWorkspace<float> w;
      LstmWorkspace<double> wide_w;
      problem.train(found, w);
      wide.train(expected, wide_w);
      // back through as many sums again; a weight gradient adds T B terms
      const double bound = tolerance<float>(sizes) * (2 + std::sqrt(double(sizes.batch)));
      CHECK(distance(found.dx, expected.dx) <= bound);
      CHECK(distance(found.dh0, expected.dh0) <= bound);
      CHECK(distance(found.dc0, expected.dc0) <= bound);
      for (std::size_t p = 0; p < problem.parts.size(); ++p) {
        CAPTURE(problem.parts[p].name);
        std::vector<float> gradient(problem.params[p].size());
        std::vector<double> wide_gradient(gradient.size());
        export_part(problem.parts[p].layout, found.dblock.data(), gradient.data());
        export_part(wide.parts[p].layout, expected.dblock.data(), wide_gradient.data());
        CHECK(distance(gradient, wide_gradient) <= bound);
      }
    }
  }
}

TEST_CASE_TEMPLATE("lstm: padding of the gradient block stays zero", T, float, double) {
  for (const Cell& cell : cells()) {
    const index lanes = kernels::table<T>().lanes;
    const LstmProblem<T> problem({3, 4, 2, lanes + 1, cell.options, true, true, true});
    LstmResults<T> r;
    LstmWorkspace<T> w;
    problem.train(r, w);
    for (const LstmPart& part : problem.parts) {
      const std::vector<T> zeros(LstmProblem<T>::count(part), T(0));
      import_part(part.layout, zeros.data(), r.dblock.data());
    }
    CAPTURE(cell.name);
    CHECK(std::all_of(r.dblock.begin(), r.dblock.end(), [](T v) { return v == T(0); }));
  }
}

TEST_CASE_TEMPLATE("lstm: padded units do not grow over many steps", T, float, double) {
  // Of z = 0 these gates make 1, so that an idle unit would add 1 a step, up to exp's overflow.
  const ActivationSpec exponential{Activation::exponential};
  const CellOptions growing{exponential, exponential, exponential, false, false, false};
  LstmProblem<T> problem({800, 2, 1, 3, growing, false, false, false});
  for (std::size_t p = 0; p < problem.parts.size(); ++p) {
    if (problem.parts[p].name == "bias") problem.params[p].assign(problem.params[p].size(), T(-4));
  }
  problem.pack();
  LstmResults<T> r;
  LstmWorkspace<T> w;
  problem.train(r, w);
  for (const std::vector<T>* values : {&r.h_n, &r.c_n, &r.dx, &r.dh0, &r.dc0, &r.dblock}) {
    CHECK(std::all_of(values->begin(), values->end(), [](T v) { return std::isfinite(v); }));
  }
}

TEST_CASE("lstm: what is not wanted is not computed, and the rest is the same") {
  for (const Cell& cell : cells()) {
    const LstmProblem<float> problem({3, 5, 4, 19, cell.options, true, true, true});
    LstmResults<float> all, some;
    LstmWorkspace<float> w;
    problem.train(all, w);
    LstmCall<float> call = problem.call(some);
    call.y = nullptr;
    lstm_forward(problem.shape, problem.block.data(), call, false, w);
    CHECK(some.h_n == all.h_n);
    CHECK(some.c_n == all.c_n);
    call = problem.call(some);
    call.h_n = call.c_n = nullptr;
    lstm_forward(problem.shape, problem.block.data(), call, true, w);
    CHECK(some.y == all.y);
    some.dx = std::vector<float>(all.dx.size(), static_cast<float>(test::kGuard));
    LstmGradients<float> g{};
    g.dy = problem.dy.data();
    g.dh_n = problem.dh_n.data();
    g.dc_n = problem.dc_n.data();
    g.dx = some.dx.data();
    lstm_backward(problem.shape, problem.block.data(), call, g, w);
    CHECK(some.dx == all.dx);
  }
}

}  // namespace lstmfast::ops
