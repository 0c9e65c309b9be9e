// Layers that merge inputs against naive computations: values, gradients, masks, stretched axes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "graph_problem.h"

namespace lstmfast::layers {
namespace {

using test::Bytes;
using test::check_close;
using test::check_gradients;
using test::Doubles;
using test::Graph;
using test::graph_of;
using test::Input;
using test::layer;
using test::numbers;
using test::Run;

constexpr index kBatch = 2;
const std::vector<std::string> kMerges = {"add",     "subtract", "multiply",
                                          "average", "maximum",  "minimum"};

std::size_t at(index i) { return static_cast<std::size_t>(i); }

std::unique_ptr<Run> run_of(Graph& graph, const std::vector<Input>& inputs) {
  auto run = std::make_unique<Run>(graph, inputs, kBatch);
  check_gradients(*run);
  run->forward();
  return run;
}

std::unique_ptr<Graph> graph_for(const base::Options& map, const std::vector<Input>& inputs) {
  Shapes shapes;
  for (const Input& input : inputs) shapes.push_back(input.shape);
  return graph_of(layer(map), shapes);
}

// One element, of the inputs that count.
double merged(const std::string& kind, const Doubles& x) {
  double y = x[0];
  for (std::size_t i = 1; i < x.size(); ++i) {
    if (kind == "add" || kind == "average") y += x[i];
    if (kind == "subtract") y -= x[i];
    if (kind == "multiply") y *= x[i];
    if (kind == "maximum") y = std::max(y, x[i]);
    if (kind == "minimum") y = std::min(y, x[i]);
  }
  return kind == "average" ? y / static_cast<double>(x.size()) : y;
}

TEST_CASE("merges of inputs of one shape") {
  for (const std::string& kind : kMerges) {
    CAPTURE(kind);
    std::vector<Input> inputs = {numbers({3, 2}, kBatch, 1), numbers({3, 2}, kBatch, 2)};
    if (kind != "subtract") inputs.push_back(numbers({3, 2}, kBatch, 3));
    const auto graph = graph_for({{"kind", kind}}, inputs);
    const auto run = run_of(*graph, inputs);
    Doubles expected;
    for (std::size_t e = 0; e < inputs[0].values.size(); ++e) {
      Doubles x;
      for (const Input& input : inputs) x.push_back(input.values[e]);
      expected.push_back(merged(kind, x));
    }
    check_close(run->y[0], expected, 1e-15);
  }
}

TEST_CASE("merges stretch axes of size 1 and missing ones") {
  for (const std::string& kind : kMerges) {
    CAPTURE(kind);
    const std::vector<Input> inputs = {numbers({3, 1, 2}, kBatch, 1), numbers({4, 1}, kBatch, 2)};
    const auto graph = graph_for({{"kind", kind}}, inputs);
    CHECK(graph->output_shapes({{3, 1, 2}, {4, 1}}) == Shapes{{3, 4, 2}});
    const auto run = run_of(*graph, inputs);
    Doubles expected;
    for (index b = 0; b < kBatch; ++b) {
      for (index i = 0; i < 3; ++i) {
        for (index j = 0; j < 4; ++j) {
          for (index f = 0; f < 2; ++f) {
            expected.push_back(merged(kind, {inputs[0].values[at((b * 3 + i) * 2 + f)],
                                             inputs[1].values[at(b * 4 + j)]}));
          }
        }
      }
    }
    check_close(run->y[0], expected, 1e-15);
  }
  const auto add = layer({{"kind", "add"}});
  CHECK(add->connect({{kAnySize, 4}, {5, 4}}) == Shapes{{kAnySize, 4}});
  CHECK(add->connect({{kAnySize, 4}, {1, 4}}) == Shapes{{kAnySize, 4}});
  CHECK(test::message_of([&] { add->connect({{3, 4}, {2, 4}}); }) ==
        "[add] inputs of a sample have shapes (3, 4) and (2, 4); expected equal sizes, or 1, from "
        "the last axis on");
  CHECK(test::message_of([&] { add->connect({{3, 4}}); }) ==
        "[add] got 1 inputs; expected 2 or more");
  CHECK(test::message_of([] { layer({{"kind", "subtract"}})->connect({{1}, {1}, {1}}); }) ==
        "[subtract] got 3 inputs; expected 2");
}

TEST_CASE("ties share the gradient: a half each, in the order of the inputs") {
  for (const std::string kind : {"maximum", "minimum"}) {
    const std::vector<Input> inputs(3, numbers({2}, kBatch));
    const auto graph = graph_for({{"kind", kind}}, inputs);
    Run run(*graph, inputs, kBatch);
    run.forward();
    run.backward({{1, 2, 4, 8}});
    CHECK(run.dx[0] == Doubles{0.25, 0.5, 1, 2});
    CHECK(run.dx[1] == run.dx[0]);
    CHECK(run.dx[2] == Doubles{0.5, 1, 2, 4});
  }
}

TEST_CASE("an extreme with a NaN is NaN") {
  Input x = numbers({2}, kBatch), y = numbers({2}, kBatch, 2);
  x.values[0] = y.values[1] = NAN;
  for (const std::string kind : {"maximum", "minimum"}) {
    const auto graph = graph_for({{"kind", kind}}, {x, y});
    Run run(*graph, {x, y}, kBatch);
    run.forward();
    CHECK(std::isnan(run.y[0][0]));
    CHECK(std::isnan(run.y[0][1]));
    CHECK(!std::isnan(run.y[0][2]));
  }
}

// Masks of 3 steps, and what Keras makes of them: a step is real where it is in any input; masked
// inputs do not count in products and extremes.
TEST_CASE("merges of masked inputs") {
  const Bytes masks[2] = {{1, 0, 0, 1, 1, 0}, {1, 1, 0, 0, 1, 0}};
  for (const std::string& kind : kMerges) {
    for (const bool both : {true, false}) {
      CAPTURE(kind);
      CAPTURE(both);
      std::vector<Input> inputs = {numbers({3, 2}, kBatch, 1), numbers({3, 2}, kBatch, 2)};
      inputs[0].mask = masks[0];
      if (both) inputs[1].mask = masks[1];
      const auto graph = graph_for({{"kind", kind}}, inputs);
      CHECK(graph->masks(0, {true, both}) == both);
      const auto run = run_of(*graph, inputs);
      CHECK(run->mask(0, 3) == (both ? Bytes{1, 1, 0, 1, 1, 0} : Bytes{}));
      const bool skips = kind == "multiply" || kind == "maximum" || kind == "minimum";
      Doubles expected;
      for (std::size_t e = 0; e < 12; ++e) {
        Doubles x;
        for (const Input& input : inputs) {
          if (!skips || input.mask.empty() || input.mask[e / 2]) x.push_back(input.values[e]);
        }
        if (x.empty()) x.push_back(kind == "multiply" ? 0 : inputs[0].values[e]);
        expected.push_back(merged(kind, x));
      }
      check_close(run->y[0], expected, 1e-15);
    }
  }
}

TEST_CASE("masks of stretched inputs") {
  std::vector<Input> inputs = {numbers({3, 2}, kBatch, 1), numbers({1, 2}, kBatch, 2)};
  inputs[0].mask = {1, 0, 0, 0, 0, 1};
  inputs[1].mask = {0, 1};
  const auto graph = graph_for({{"kind", "add"}}, inputs);
  CHECK(run_of(*graph, inputs)->mask(0, 3) == Bytes{1, 0, 0, 1, 1, 1});
}

TEST_CASE("Concatenate along each axis") {
  for (const index axis : {1, 2, 3, -1, -2, -3}) {
    CAPTURE(axis);
    const int own = static_cast<int>(axis < 0 ? axis + 3 : axis - 1);
    Shape shapes[2] = {{2, 3, 2}, {2, 3, 2}}, joined{2, 3, 2};
    shapes[1].sizes[own] = 4;
    joined.sizes[own] += 4;
    const std::vector<Input> inputs = {numbers(shapes[0], kBatch, 1),
                                       numbers(shapes[1], kBatch, 2)};
    const auto graph = graph_for({{"kind", "concatenate"}, {"axis", axis}}, inputs);
    CHECK(graph->output_shapes({shapes[0], shapes[1]}) == Shapes{joined});
    const auto run = run_of(*graph, inputs);
    Doubles expected;
    for (index b = 0; b < kBatch; ++b) {
      index i[3];
      for (i[0] = 0; i[0] < joined.sizes[0]; ++i[0]) {
        for (i[1] = 0; i[1] < joined.sizes[1]; ++i[1]) {
          for (i[2] = 0; i[2] < joined.sizes[2]; ++i[2]) {
            index j[3] = {i[0], i[1], i[2]};
            const index first = shapes[0].sizes[own];
            const std::size_t k = j[own] < first ? 0 : 1;
            if (k == 1) j[own] -= first;
            const Shape& s = shapes[k];
            expected.push_back(
                inputs[k]
                    .values[at(((b * s.sizes[0] + j[0]) * s.sizes[1] + j[1]) * s.sizes[2] + j[2])]);
          }
        }
      }
    }
    CHECK(run->y[0] == expected);
  }
  const auto one = layer({{"kind", "concatenate"}, {"axis", 1}});
  CHECK(one->connect({{kAnySize, 4}, {5, 4}}) == Shapes{{kAnySize, 4}});
  CHECK(test::message_of([&] { one->connect({{2, 4}, {2, 3}}); }) ==
        "[concatenate] inputs of a sample have shapes (2, 4) and (2, 3); expected equal sizes but "
        "for axis 1");
  CHECK(test::message_of([] { layer({{"kind", "concatenate"}, {"axis", 0}}); }) ==
        "[model.config] axis is 0; expected an integer from -5 to 5 other than 0, which is the "
        "batch");
}

// As Keras 3.15 on torch puts it out.
TEST_CASE("masks of Concatenate") {
  for (const bool both : {true, false}) {
    std::vector<Input> inputs = {numbers({3, 2}, 1, 1), numbers({3, 2}, 1, 2)};
    inputs[0].mask = {0, 1, 0};
    if (both) inputs[1].mask = {1, 0, 0};
    const auto mask_along = [&](index axis, index rows) {
      const auto graph = graph_for({{"kind", "concatenate"}, {"axis", axis}}, inputs);
      Run run(*graph, inputs, 1);
      run.forward();
      return run.mask(0, rows);
    };
    CHECK(mask_along(2, 3) == (both ? Bytes{1, 1, 0} : Bytes{1, 1, 1}));
    CHECK(mask_along(1, 6) == (both ? Bytes{0, 1, 0, 1, 0, 0} : Bytes{0, 1, 0, 1, 1, 1}));
  }
}

TEST_CASE("Dot along each pair of axes") {
  for (const bool normalize : {false, true}) {
    for (const index first : {1, 2}) {
      for (const index second : {1, 2, -2}) {
        CAPTURE(first);
        CAPTURE(second);
        const bool second_is_1 = second != 2;
        const std::vector<Input> inputs = {
            numbers(first == 1 ? Shape{3, 2} : Shape{2, 3}, kBatch, 1),
            numbers(second_is_1 ? Shape{3, 4} : Shape{4, 3}, kBatch, 2)};
        const auto graph = graph_for(
            {{"kind", "dot"}, {"axes.0", first}, {"axes.1", second}, {"normalize", normalize}},
            inputs);
        const auto a = [&](index b, index p, index k) {
          return inputs[0].values[at(b * 6 + (first == 1 ? k * 2 + p : p * 3 + k))];
        };
        const auto c = [&](index b, index q, index k) {
          return inputs[1].values[at(b * 12 + (second_is_1 ? k * 4 + q : q * 3 + k))];
        };
        Doubles expected;
        for (index b = 0; b < kBatch; ++b) {
          for (index p = 0; p < 2; ++p) {
            for (index q = 0; q < 4; ++q) {
              double sum = 0, aa = 0, cc = 0;
              for (index k = 0; k < 3; ++k) {
                sum += a(b, p, k) * c(b, q, k);
                aa += a(b, p, k) * a(b, p, k);
                cc += c(b, q, k) * c(b, q, k);
              }
              expected.push_back(normalize ? sum / std::sqrt(aa * cc) : sum);
            }
          }
        }
        check_close(run_of(*graph, inputs)->y[0], expected, 1e-15);
      }
    }
  }
  const auto dot = layer({{"kind", "dot"}, {"axes.0", 1}, {"axes.1", 1}});
  CHECK(dot->connect({{3}, {3}}) == Shapes{{1}});
  CHECK(dot->connect({{3}, {3, 5}}) == Shapes{{5}});
  CHECK(!dot->masks(0, {true, true}));
  CHECK(test::message_of([&] { dot->connect({{3}, {4, 3}}); }) ==
        "[dot] inputs of a sample have shapes (3,) and (4, 3); expected equal sizes at axis 1 of "
        "the first and 1 of the second");
}

TEST_CASE("Dot of a vector of zeros, normalised, has finite values and gradients") {
  std::vector<Input> inputs = {numbers({3}, kBatch, 1), numbers({3}, kBatch, 2)};
  std::fill(inputs[0].values.begin(), inputs[0].values.end(), 0.0);
  const auto graph =
      graph_for({{"kind", "dot"}, {"axes.0", 1}, {"axes.1", 1}, {"normalize", true}}, inputs);
  Run run(*graph, inputs, kBatch);
  run.forward();
  run.backward({{1, 1}});
  CHECK(run.y[0] == Doubles{0, 0});
  for (const Doubles& dx : run.dx) {
    for (const double d : dx) CHECK(std::isfinite(d));
  }
}

}  // namespace
}  // namespace lstmfast::layers
