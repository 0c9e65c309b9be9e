// Operations of users' code: values against naive computations, and gradients by differences.
#include <doctest/doctest.h>

#include <cmath>

#include "graph_problem.h"
#include "team_helpers.h"

namespace lstmfast::layers {
namespace {

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

std::size_t at(index i) { return static_cast<std::size_t>(i); }

// The values that a layer of this configuration makes; its gradients are checked.
Doubles values_of(const base::Options& config, const std::vector<Input>& inputs) {
  Shapes shapes;
  for (const Input& input : inputs) shapes.push_back(input.shape);
  const auto graph = graph_of(layer(config), shapes);
  Run run(*graph, inputs, kBatch);
  check_gradients(run);
  run.forward();
  return run.y[0];
}

base::Options function(const std::string& name) {
  return {{"kind", "elementwise"}, {"function", name}};
}

TEST_CASE("functions of one operand, where they have slopes") {
  const std::vector<std::pair<const char*, double (*)(double)>> functions = {
      {"absolute", std::fabs},  {"sqrt", std::sqrt},   {"log", std::log},     {"log1p", std::log1p},
      {"expm1", std::expm1},    {"sin", std::sin},     {"cos", std::cos},     {"tan", std::tan},
      {"arcsin", std::asin},    {"arccos", std::acos}, {"arctan", std::atan}, {"sinh", std::sinh},
      {"cosh", std::cosh},      {"erf", std::erf},     {"floor", std::floor}, {"ceil", std::ceil},
      {"round", std::nearbyint}};
  Input x = numbers({3}, kBatch);
  // inside of all domains, away from whole numbers, halves and steep ends
  for (double& value : x.values) value = 0.55 + 0.2 * value;
  for (const auto& each : functions) {
    CAPTURE(each.first);
    if (std::string(each.first) == "round") {
      for (double& value : x.values) value -= 0.3;
    }
    Doubles expected;
    for (const double value : x.values) expected.push_back(each.second(value));
    check_close(values_of(function(each.first), {x}), expected, 1e-15);
  }
}

TEST_CASE("functions of two operands stretched together") {
  const std::vector<std::pair<const char*, double (*)(double, double)>> functions = {
      {"add", [](double a, double b) { return a + b; }},
      {"subtract", [](double a, double b) { return a - b; }},
      {"multiply", [](double a, double b) { return a * b; }},
      {"divide", [](double a, double b) { return a / b; }},
      {"power", [](double a, double b) { return std::pow(a, b); }},
      {"arctan2", [](double a, double b) { return std::atan2(a, b); }},
      {"maximum", [](double a, double b) { return std::fmax(a, b); }},
      {"at_most", [](double a, double b) { return std::fmin(a, b); }},
      {"greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }}};
  Input a = numbers({4, 1}, kBatch, 1), b = numbers({1, 3}, kBatch, 2);
  for (double& value : a.values) value = 1.5 + value;
  for (double& value : b.values) value = 1.5 + value;
  for (const auto& each : functions) {
    CAPTURE(each.first);
    Doubles expected;
    for (index s = 0; s < kBatch; ++s) {
      for (index i = 0; i < 4; ++i) {
        for (index j = 0; j < 3; ++j) {
          expected.push_back(each.second(a.values[at(s * 4 + i)], b.values[at(s * 3 + j)]));
        }
      }
    }
    check_close(values_of(function(each.first), {a, b}), expected, 1e-15);
  }
}

TEST_CASE("reductions along the middle axis") {
  const Input x = numbers({2, 5, 3}, kBatch);
  for (const std::string kind : {"sum", "mean", "max", "min", "prod", "argmax", "argmin"}) {
    CAPTURE(kind);
    Doubles expected;
    for (index outer = 0; outer < kBatch * 2; ++outer) {
      for (index inner = 0; inner < 3; ++inner) {
        double sum = 0, product = 1;
        index most = 0, least = 0;
        const auto element = [&](index i) { return x.values[at((outer * 5 + i) * 3 + inner)]; };
        for (index i = 0; i < 5; ++i) {
          sum += element(i);
          product *= element(i);
          if (element(i) > element(most)) most = i;
          if (element(i) < element(least)) least = i;
        }
        expected.push_back(kind == "sum"      ? sum
                           : kind == "mean"   ? sum / 5
                           : kind == "prod"   ? product
                           : kind == "max"    ? element(most)
                           : kind == "min"    ? element(least)
                           : kind == "argmax" ? static_cast<double>(most)
                                              : static_cast<double>(least));
      }
    }
    const base::Options config = {{"kind", "reduce"}, {"function", kind}, {"axis", 2}};
    check_close(values_of(config, {x}), expected, 1e-15);
  }
}

TEST_CASE("the first of equal extremes is the place, and the first NaN") {
  Input x{{4}, {1, 3, 3, 2, 1, NAN, 4, NAN}, {}, {}};
  const auto graph =
      graph_of(layer({{"kind", "reduce"}, {"function", "argmax"}, {"axis", 1}}), {x.shape});
  Run run(*graph, {x}, kBatch);
  run.forward();
  CHECK(run.y[0] == Doubles{1, 1});
  run.backward({{1, 1}});
  CHECK(run.dx[0] == Doubles(8, 0.0));
}

TEST_CASE("cumulative sums along each axis") {
  const Input x = numbers({2, 3, 4}, kBatch);
  const index strides[3] = {12, 4, 1}, sizes[3] = {2, 3, 4};
  for (const index axis : {1, 2, 3}) {
    CAPTURE(axis);
    Doubles expected = x.values;
    const index stride = strides[axis - 1], size = sizes[axis - 1];
    for (index e = 0; e < static_cast<index>(expected.size()); ++e) {
      if (e / stride % size > 0) expected[at(e)] += expected[at(e - stride)];
    }
    check_close(values_of({{"kind", "cumsum"}, {"axis", axis}}, {x}), expected, 1e-15);
  }
}

// y of matrices [count][rows][terms] and [count][terms][columns], where count has the batch.
Doubles naive(const Doubles& a, const Doubles& b, index count, index rows, index terms,
              index columns) {
  Doubles y;
  for (index m = 0; m < count; ++m) {
    for (index r = 0; r < rows; ++r) {
      for (index c = 0; c < columns; ++c) {
        double sum = 0;
        for (index k = 0; k < terms; ++k) {
          sum += a[at((m * rows + r) * terms + k)] * b[at((m * terms + k) * columns + c)];
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

TEST_CASE("products of matrices of all sizes around those of vectors and panels") {
  for (const index rows : {1, 2, 7}) {
    for (const index terms : {1, 5, 16}) {
      for (const index columns : {1, 3, 8, 17}) {
        CAPTURE(rows);
        CAPTURE(terms);
        CAPTURE(columns);
        const Input a = numbers({3, rows, terms}, kBatch, 1);
        const Input b = numbers({3, terms, columns}, kBatch, 2);
        // a sum of `terms` products of at most 1
        check_close(values_of({{"kind", "matmul"}}, {a, b}),
                    naive(a.values, b.values, kBatch * 3, rows, terms, columns),
                    static_cast<double>(terms) * 2.3e-16);
      }
    }
  }
}

TEST_CASE("products with a vector on either side, and a matrix for all rows before it") {
  const Input a = numbers({4, 3}, kBatch, 1), vector = numbers({3}, kBatch, 2);
  check_close(values_of({{"kind", "matmul"}}, {a, vector}),
              naive(a.values, vector.values, kBatch, 4, 3, 1), 1e-15);
  const Input right = numbers({3, 2}, kBatch, 3);
  check_close(values_of({{"kind", "matmul"}}, {vector, right}),
              naive(vector.values, right.values, kBatch, 1, 3, 2), 1e-15);
  const Input many = numbers({2, 4, 3}, kBatch, 4);
  check_close(values_of({{"kind", "matmul"}}, {many, right}),
              naive(many.values, right.values, kBatch, 8, 3, 2), 1e-15);
  CHECK(test::message_of([] { layer({{"kind", "matmul"}})->connect({{2, 3}, {4, 2}}); }) ==
        "[matmul] inputs of a sample have shapes (2, 3) and (4, 2); expected matrices that fit");
}

TEST_CASE("products have the same bits on any number of threads") {
  const Input a = numbers({24, 40, 30}, kBatch, 1), b = numbers({24, 30, 50}, kBatch, 2);
  const auto graph = graph_of(layer({{"kind", "matmul"}}), {a.shape, b.shape});
  std::vector<Doubles> found;
  for (const int threads : {1, 3}) {
    const base::Threads used(threads);
    Run run(*graph, {a, b}, kBatch);
    run.forward();
    run.backward({run.y[0]});
    found.push_back(run.y[0]);
    for (const Doubles& dx : run.dx) found.push_back(dx);
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(found[i] == found[i + 3]);
}

TEST_CASE("a weight and numbers are values of each sample") {
  const Input x = numbers({3}, kBatch);
  Graph graph;
  const index in = graph.add_input(x.shape, "x");
  const index weight =
      graph.add_node(layer({{"kind", "weight"}, {"shape", base::Extents{3}}}), {{in, 0}});
  const index constant = graph.add_node(layer({{"kind", "constant"},
                                               {"shape", base::Extents{3}},
                                               {"values", std::vector<double>{1, 2, 4}}}),
                                        {{in, 0}});
  const index scaled = graph.add_node(layer(function("multiply")), {{in, 0}, {weight, 0}});
  const index sum = graph.add_node(layer(function("add")), {{scaled, 0}, {constant, 0}});
  graph.set_outputs({{sum, 0}});
  Run run(graph, {x}, kBatch);
  check_gradients(run);
}

TEST_CASE("numbers as the ids of an Embedding") {
  const auto graph_with = [](const std::vector<double>& ids, Graph& graph) {
    const index in = graph.add_input({2}, "x");
    const index constant = graph.add_node(
        layer({{"kind", "constant"}, {"shape", base::Extents{index(ids.size())}}, {"values", ids}}),
        {{in, 0}});
    const index rows = graph.add_node(
        layer({{"kind", "embedding"}, {"input_dim", 3}, {"output_dim", 2}}), {{constant, 0}});
    graph.set_outputs({{rows, 0}, {in, 0}});
  };
  Graph graph;
  graph_with({2, 0, 2}, graph);
  Run run(graph, {numbers({2}, kBatch)}, kBatch);
  check_gradients(run);
  run.forward();
  for (index b = 0; b < kBatch; ++b) {
    for (index i = 0; i < 2; ++i) CHECK(run.y[0][at(b * 6 + i)] == run.y[0][at(b * 6 + 4 + i)]);
  }
  for (const double wrong : {3.0, -1.0, 0.5}) {
    Graph refused;
    const std::string message = test::message_of([&] { graph_with({0, wrong}, refused); });
    CHECK(message.find("expected ids from 0 to 2") != std::string::npos);
  }
}

}  // namespace
}  // namespace lstmfast::layers
