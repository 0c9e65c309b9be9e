// The LSTM through time, against naive sums and central differences. All arrays are
// as long as the contracts say and no longer: run under AddressSanitizer, this finds every overrun.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/team.h"
#include "lstm_problem.h"

namespace lstmfast::ops {
namespace {

using test::LstmProblem;
using test::LstmResults;
using test::LstmSizes;
using test::Numbers;

class Threads {
 public:
  explicit Threads(int n) : before_(base::team::get_num_threads()) {
    base::team::set_num_threads(n);
  }
  ~Threads() { base::team::set_num_threads(before_); }

 private:
  int before_;
};

struct Cell {
  const char* name;
  CellOptions options;
};

std::vector<Cell> cells() {
  const ActivationSpec tanh{Activation::tanh}, sigmoid{Activation::sigmoid};
  const ActivationSpec softsign{Activation::softsign}, softplus{Activation::softplus};
  const ActivationSpec elu{Activation::elu, 0.7}, silu{Activation::silu};
  const ActivationSpec scaled{Activation::scaled_tanh, 0.9, 0.8};
  return {
      {"plain", {}},
      {"peephole", {tanh, sigmoid, tanh, true, false, false}},
      {"coupled", {tanh, sigmoid, tanh, false, true, false}},
      {"coupled, peephole", {tanh, sigmoid, tanh, true, true, false}},
      {"layer norm", {tanh, sigmoid, tanh, false, false, true}},
      {"layer norm, peephole", {tanh, sigmoid, tanh, true, false, true}},
      {"layer norm, coupled, peephole", {tanh, sigmoid, tanh, true, true, true}},
      {"softsign", {softsign, sigmoid, softsign, false, false, false}},
      {"softplus", {softplus, softsign, softplus, true, false, false}},
      {"elu", {elu, tanh, elu, false, true, false}},
      {"three activations", {softsign, sigmoid, softplus, true, false, false}},
      {"slopes of the input", {silu, scaled, scaled, true, false, false}},
      {"slopes of the input, coupled", {scaled, scaled, silu, true, true, false}},
      {"slopes of the input, layer norm", {silu, scaled, silu, true, false, true}},
  };
}

// Around one and two vectors, and a call with and without lengths, resets and states.
std::vector<LstmSizes> problems(const CellOptions& options, index lanes) {
  return {
      {1, 1, 1, 1, options, false, false, false},
      {3, 2, 2, 3, options, false, false, true},
      {4, 5, 1, lanes - 1, options, true, false, false},
      {2, 7, 3, lanes, options, false, true, true},
      {4, 6, 2, lanes + 1, options, true, true, true},
      {3, 1, 17, 2 * lanes + 1, options, false, false, true},
      {3, 3, 18, 2 * lanes - 1, options, true, true, false},
      {2, 13, 5, 7, options, true, false, true},
  };
}

// Each of the T steps adds sums of I + H terms, rounded at random, and some function values; a norm
// of few units divides by a small deviation.
template <class T>
double tolerance(const LstmSizes& s) {
  const double eps = std::numeric_limits<T>::epsilon();
  const double sums = std::sqrt(double(s.input + s.hidden)) + 8;
  return 8 * eps * sums * double(s.steps) * (s.options.layer_norm ? 16 : 1);
}

template <class T, class U>
double distance(const std::vector<T>& a, const std::vector<U>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::fabs(double(a[i]) - double(b[i])) / (1 + std::fabs(double(b[i])));
    most = gap <= most ? most : gap;  // a NaN stays
  }
  return most;
}

}  // namespace

TEST_CASE_TEMPLATE("lstm: forward is the naive one, training has its bits", T, float, double) {
  for (const Cell& cell : cells()) {
    for (const LstmSizes& sizes : problems(cell.options, kernels::table<T>().lanes)) {
      CAPTURE(cell.name);
      CAPTURE(sizes.hidden);
      CAPTURE(sizes.batch);
      const LstmProblem<T> problem(sizes);
      const LstmResults<double> expected = problem.naive();
      LstmResults<T> found, trained;
      LstmWorkspace<T> w;
      problem.infer(found, w);
      CHECK(distance(found.y, expected.y) <= tolerance<T>(sizes));
      CHECK(distance(found.h_n, expected.h_n) <= tolerance<T>(sizes));
      CHECK(distance(found.c_n, expected.c_n) <= tolerance<T>(sizes));
      problem.train(trained, w);
      CHECK(trained.y == found.y);
      CHECK(trained.h_n == found.h_n);
      CHECK(trained.c_n == found.c_n);
    }
  }
}

TEST_CASE("lstm: gradients are central differences") {
  constexpr double kStep = 1e-5;  // the error is about its square, times a third derivative
  for (const Cell& cell : cells()) {
    for (const LstmSizes& sizes : problems(cell.options, kernels::table<double>().lanes)) {
      if (sizes.options.layer_norm && sizes.hidden < 4) continue;  // too steep for differences
      CAPTURE(cell.name);
      CAPTURE(sizes.hidden);
      CAPTURE(sizes.batch);
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

TEST_CASE_TEMPLATE("lstm: same bits for every number of threads", T, float, double) {
  const ActivationSpec tanh{Activation::tanh}, sigmoid{Activation::sigmoid};
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
      for (int again = 0; again < 3; ++again) {  // warm, and inference after training
        problem.infer(shared, w);
        CHECK(shared.y == alone.y);
        CHECK(shared.c_n == alone.c_n);
      }
    }
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
