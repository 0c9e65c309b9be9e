// Weights in reduced precision: bfloat16 has the bits of float weights of the same values, sums of
// int8 are those of whole numbers, and neither depends on the batch, the threads or the cut of a
// sequence.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/team.h"
#include "kernel_helpers.h"
#include "lstm_problem.h"
#include "ops/linear.h"
#include "ops/reduced.h"

namespace lstmfast::ops {
namespace {

using test::size;

// A matrix in reduced precision, and the numbers that its elements stand for.
struct Packed {
  std::vector<unsigned char> block;
  std::vector<float> values;

  Packed(const ReducedMatrix& m, const std::vector<float>& w, const std::vector<float>& scales) {
    const ReducedElements elements = m.reduce(w.data(), scales);
    block.resize(size(m.bytes()));
    m.pack(elements, block.data());
    CHECK(m.unpack(block.data()).bytes == elements.bytes);
    CHECK(m.unpack(block.data()).scales == elements.scales);
    values.resize(w.size());
    m.widen(elements, values.data());
  }
};

std::vector<float> run_linear(const LinearShape<float>& shape, const std::vector<float>& block,
                              index rows, const std::vector<float>& x,
                              const unsigned char* weights = nullptr) {
  std::vector<float> y(size(rows * shape.outputs));
  std::vector<unsigned char> scratch(size(shape.reduced().room(rows)));
  std::vector<float> columns(size(shape.columns_size()));
  shape.forward(block.data(), rows, {x.data(), nullptr, shape.inputs},
                {y.data(), nullptr, shape.outputs}, false,
                shape.reduced().operand(weights, scratch.data(), rows), columns.data());
  return y;
}

struct LinearSizes {
  index rows, inputs, outputs;
};
constexpr LinearSizes kLinear[] = {{1, 1, 1},  {3, 37, 3},  {1, 7, 33},
                                   {3, 4, 16}, {5, 18, 70}, {40, 65, 129}};

TEST_CASE("a linear map in bfloat16 has the bits of rounded float weights") {
  for (const LinearSizes& s : kLinear) {
    const LinearShape<float> full(s.inputs, s.outputs);
    const LinearShape<float> reduced(s.inputs, s.outputs, Precision::bfloat16);
    const auto w = test::some<float>(s.inputs * s.outputs), b = test::some<float>(s.outputs, 0.3);
    const auto x = test::some<float>(s.rows * s.inputs, 2);
    const Packed packed(reduced.reduced(), w, {});
    std::vector<float> block(size(full.size())), biases(size(reduced.size()));
    import_part(full.kernel(), packed.values.data(), block.data());
    import_part(full.bias(), b.data(), block.data());
    import_part(reduced.bias(), b.data(), biases.data());
    CAPTURE(s.inputs);
    CHECK(run_linear(reduced, biases, s.rows, x, packed.block.data()) ==
          run_linear(full, block, s.rows, x));
  }
}

TEST_CASE("a linear map in int8 is exact in whole numbers") {
  for (const LinearSizes& s : kLinear) {
    const index I = s.inputs, J = s.outputs;
    const LinearShape<float> shape(I, J, Precision::int8);
    const auto w = test::some<float>(I * J), b = test::some<float>(J, 0.3);
    auto x = test::some<float>(s.rows * I, 2);
    for (index k = 0; k < I && s.rows > 2; ++k) x[size(I + k)] = 0;  // a row of zeros
    const std::vector<float> scales = scales_of({{I, w.data()}}, J);
    const Packed packed(shape.reduced(), w, scales);
    std::vector<float> biases(size(shape.size()));
    import_part(shape.bias(), b.data(), biases.data());
    const std::vector<float> y = run_linear(shape, biases, s.rows, x, packed.block.data());
    std::vector<float> expected;
    for (index r = 0; r < s.rows; ++r) {
      float most = 0;
      for (index k = 0; k < I; ++k) most = std::max(most, std::fabs(x[size(r * I + k)]));
      const float by = most > 0 ? 127 / most : 0;
      for (index j = 0; j < J; ++j) {
        long sum = 0;
        for (index k = 0; k < I; ++k) {
          sum += std::lrint(w[size(k * J + j)] / scales[size(j)]) *
                 std::lrint(x[size(r * I + k)] * by);
        }
        const float t = most / 127 * float(sum);
        expected.push_back(test::multiply_add(t, scales[size(j)], b[size(j)]));
      }
    }
    CAPTURE(I);
    CHECK(y == expected);
  }
}

TEST_CASE("a row that is not finite makes NaN of its own outputs alone") {
  const LinearShape<float> shape(5, 20, Precision::int8);
  const auto w = test::some<float>(100);
  const Packed packed(shape.reduced(), w, scales_of({{5, w.data()}}, 20));
  auto x = test::some<float>(15);
  x[7] = INFINITY;
  const std::vector<float> zeros(size(shape.size()));
  const std::vector<float> y = run_linear(shape, zeros, 3, x, packed.block.data());
  for (index i = 0; i < 60; ++i) CHECK(std::isnan(y[size(i)]) == (i / 20 == 1));
}

// A recurrent layer in reduced precision; `problem` gets the numbers that its weights stand for.
struct ReducedLstm {
  test::LstmProblem<float>& problem;
  LstmShape<float> shape;
  std::vector<float> block;
  std::vector<unsigned char> weights;

  ReducedLstm(test::LstmProblem<float>& p, Precision precision)
      : problem(p), shape(p.shape.input, p.shape.hidden, p.shape.options, precision) {
    const index rows[] = {shape.input, shape.outputs()};
    block.resize(size(shape.size()));
    const auto shared = scales_of({{rows[0], p.params[0].data()}, {rows[1], p.params[1].data()}},
                                  shape.gates * shape.hidden);
    const std::vector<LstmPart> parts = shape.parts();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const LstmPart& part = parts[i];
      if (!part.reduced) {
        import_part(part.layout, p.params[i].data(), block.data());
        continue;
      }
      const auto scales =
          i < 2 ? shared : scales_of({{shape.hidden, p.params[i].data()}}, part.layout.columns);
      const Packed packed(part.reduced, p.params[i], scales);
      p.params[i] = packed.values;
      weights.resize(std::max(weights.size(), size(part.reduced_first + part.reduced.bytes())));
      std::copy(packed.block.begin(), packed.block.end(), weights.begin() + part.reduced_first);
    }
    p.pack();
  }

  test::LstmResults<float> run() const {
    test::LstmResults<float> out;
    LstmWorkspace<float> workspace;
    LstmCall<float> call = problem.call(out);
    call.reduced = weights.data();
    lstm_forward(shape, block.data(), call, false, workspace);
    return out;
  }
  // y of all rows, each run alone and step by step.
  std::vector<float> stepwise() const {
    test::LstmResults<float> out;
    LstmWorkspace<float> workspace;
    const LstmCall<float> all = problem.call(out);
    const index O = shape.outputs();
    std::vector<float> h(size(O)), c(size(shape.hidden));
    for (index b = 0; b < all.batch; ++b) {
      std::fill(h.begin(), h.end(), 0.0F);
      std::fill(c.begin(), c.end(), 0.0F);
      for (index t = 0; t < all.steps; ++t) {
        LstmCall<float> call = all;
        call.reduced = weights.data();
        call.batch = call.steps = 1;
        call.x += b * all.x_row + t * all.x_step;
        call.y += b * all.y_row + t * all.y_step;
        call.h0 = call.h_n = h.data();
        call.c0 = call.c_n = c.data();
        lstm_forward(shape, block.data(), call, false, workspace);
      }
    }
    return out.y;
  }
};

std::vector<test::LstmSizes> recurrent_problems() {
  std::vector<test::LstmSizes> out = {{5, 1, 3, 7}, {4, 3, 20, 33}, {3, 19, 5, 40}};
  CellOptions o;
  o.peephole = true;
  o.activation = {Activation::softsign};
  o.cell_clip = 0.8;
  out.push_back({4, 2, 17, 24, o});
  o = {};
  o.coupled = true;
  o.projection = 11;
  o.proj_clip = 0.5;
  out.push_back({4, 6, 18, 24, o});
  o = {};
  o.layer_norm = true;
  out.push_back({4, 6, 9, 35, o});
  o = {};
  o.kind = CellKind::gru;
  out.push_back({5, 1, 6, 33, o});
  out.push_back({5, 9, 17, 20, o});
  o.kind = CellKind::gru_reset_before;
  out.push_back({5, 1, 6, 33, o});
  out.push_back({4, 7, 17, 20, o});
  o.kind = CellKind::simple_rnn;
  out.push_back({5, 4, 6, 33, o});
  return out;
}

TEST_CASE("recurrent layers in bfloat16 have the bits of rounded float weights") {
  for (test::LstmSizes sizes : recurrent_problems()) {
    for (const bool states : {false, true}) {
      sizes.states = states;
      sizes.lengths = sizes.resets = sizes.batch > 3;
      test::LstmProblem<float> problem(sizes);
      const ReducedLstm reduced(problem, Precision::bfloat16);
      test::LstmResults<float> expected;
      LstmWorkspace<float> workspace;
      problem.infer(expected, workspace);
      CAPTURE(sizes.hidden);
      CAPTURE(states);
      const test::LstmResults<float> found = reduced.run();
      CHECK(found.y == expected.y);
      CHECK(found.h_n == expected.h_n);
      CHECK(found.c_n == expected.c_n);
    }
  }
}

TEST_CASE("recurrent layers in int8: batch, steps and threads change no bit") {
  for (const test::LstmSizes& sizes : recurrent_problems()) {
    test::LstmProblem<float> problem(sizes);
    const ReducedLstm reduced(problem, Precision::int8);
    CAPTURE(sizes.hidden);
    const std::vector<float> y = reduced.run().y;
    CHECK(y == reduced.stepwise());
    for (const float each : y) CHECK(std::isfinite(each));
  }
}

TEST_CASE("threads that share rows or panels change no bit") {
  const int before = base::team::get_num_threads();
  for (const test::LstmSizes& sizes : {test::LstmSizes{6, 2, 40, 300}, {6, 64, 20, 96}}) {
    for (const Precision precision : {Precision::bfloat16, Precision::int8}) {
      test::LstmProblem<float> problem(sizes);
      const ReducedLstm reduced(problem, precision);
      base::team::set_num_threads(1);
      const std::vector<float> alone = reduced.run().y;
      base::team::set_num_threads(4);
      CHECK(reduced.run().y == alone);
    }
  }
  base::team::set_num_threads(before);
}

}  // namespace
}  // namespace lstmfast::ops
