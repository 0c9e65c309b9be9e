// Layers of one input against naive computations, in graphs of one layer: reshaping, Activation,
// Embedding, TimeDistributed.
#include <doctest/doctest.h>

#include <cstdint>

#include "activations.h"
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

constexpr index kBatch = 3;

// Forward and gradients of one layer; returns y.
Doubles values_of(const std::shared_ptr<Layer<double>>& one, const std::vector<Input>& inputs) {
  Shapes shapes;
  for (const Input& input : inputs) shapes.push_back(input.shape);
  const auto graph = graph_of(one, shapes);
  Run run(*graph, inputs, kBatch);
  check_gradients(run);
  run.forward();
  return run.y[0];
}

std::string error_of(const std::shared_ptr<Layer<double>>& one, const Shapes& inputs) {
  return test::message_of([&] { one->connect(inputs); });
}

TEST_CASE("layers refuse other numbers of inputs, and samples without the axes that they need") {
  for (const char* kind : {"masking", "activation", "flatten", "repeat_vector", "add", "dot"}) {
    base::Options options{{"kind", kind}, {"n", 2}, {"axes.0", 1}, {"axes.1", 1}};
    options["activation"] = "tanh";
    const auto one = layer(options);
    const std::string expected = kind == std::string("add")   ? "2 or more"
                                 : kind == std::string("dot") ? "2"
                                                              : "1";
    CHECK(error_of(one, {}) == "[" + std::string(kind) + "] got 0 inputs; expected " + expected);
    CHECK_FALSE(one->built());
  }
  for (const char* kind : {"masking", "dropout", "add"}) {
    const auto one = layer({{"kind", kind}, {"rate", 0.5}});
    const std::size_t inputs = kind == std::string("add") ? 2 : 1;
    const std::string expected =
        "[" + std::string(kind) + "] input of a sample has shape (); expected (..., features)";
    CHECK(error_of(one, Shapes(inputs)) == expected);
    CHECK(error_of(one, Shapes(inputs, {3})).empty());
    CHECK(error_of(one, Shapes(inputs)) == expected);
  }
}

TEST_CASE("Flatten and Reshape keep elements in order") {
  const Input x = numbers({4, 3, 2}, kBatch);
  for (const auto& map :
       {base::Options{{"kind", "flatten"}},
        base::Options{{"kind", "reshape"}, {"target_shape", base::Extents{2, kAnySize, 3}}}}) {
    CHECK(values_of(layer(map), {x}) == x.values);
  }
  CHECK(layer({{"kind", "flatten"}})->connect({{4, 3, 2}}) == Shapes{{24}});
  CHECK(layer({{"kind", "flatten"}})->connect({Shape{}}) == Shapes{{1}});
  CHECK(layer({{"kind", "flatten"}})->connect({{kAnySize, 2}}) == Shapes{{kAnySize}});
  const auto open = layer({{"kind", "reshape"}, {"target_shape", base::Extents{kAnySize, 4}}});
  CHECK(open->connect({{kAnySize, 2}}) == Shapes{{kAnySize, 4}});
  CHECK(open->connect({{6, 2}}) == Shapes{{3, 4}});
  CHECK(error_of(open, {{3, 2}}) ==
        "[reshape] input of a sample has shape (3, 2); expected as many elements as (?, 4)");
  CHECK(test::message_of([] {
          layer({{"kind", "reshape"}, {"target_shape", base::Extents{kAnySize, kAnySize}}});
        }) ==
        "[model.config] target_shape is (None, None); expected 1 to 5 sizes of at least 1, where "
        "one may be -1 or None");
}

TEST_CASE("Permute puts axes into another order") {
  const index sizes[3] = {2, 3, 4};
  for (const std::vector<index>& dims :
       {std::vector<index>{1, 2, 3}, {2, 1, 3}, {3, 1, 2}, {1, 3, 2}, {3, 2, 1}}) {
    const Input x = numbers({2, 3, 4}, kBatch);
    const auto permute = layer({{"kind", "permute"}, {"dims", dims}});
    const Doubles y = values_of(permute, {x});
    Doubles expected;
    const auto size = [&](int i) { return sizes[dims[static_cast<std::size_t>(i)] - 1]; };
    for (index b = 0; b < kBatch; ++b) {
      for (index i = 0; i < size(0); ++i) {
        for (index j = 0; j < size(1); ++j) {
          for (index k = 0; k < size(2); ++k) {
            index at[3];
            at[dims[0] - 1] = i, at[dims[1] - 1] = j, at[dims[2] - 1] = k;
            expected.push_back(
                x.values[static_cast<std::size_t>(((b * 2 + at[0]) * 3 + at[1]) * 4 + at[2])]);
          }
        }
      }
    }
    CHECK(y == expected);
    CHECK(permute->connect({{2, 3, 4}})[0] == Shape{size(0), size(1), size(2)});
  }
  const auto swap = layer({{"kind", "permute"}, {"dims", base::Extents{2, 1}}});
  CHECK(swap->connect({{kAnySize, 3}}) == Shapes{{3, kAnySize}});
  CHECK(error_of(swap, {{3}}) ==
        "[permute] input of a sample has shape (3,); expected 2 axes, as dims has");
  CHECK(test::message_of([] { layer({{"kind", "permute"}, {"dims", base::Extents{1, 3}}}); }) ==
        "[model.config] dims is (1, 3); expected each axis of a sample once, counted from 1");
}

TEST_CASE("RepeatVector gives each step the input") {
  const Input x = numbers({3}, kBatch);
  const auto repeat = layer({{"kind", "repeat_vector"}, {"n", 4}});
  const Doubles y = values_of(repeat, {x});
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == x.values[i / 12 * 3 + i % 3]);
  CHECK(error_of(repeat, {{2, 3}}) ==
        "[repeat_vector] input of a sample has shape (2, 3); expected (features)");
}

TEST_CASE("Activation: values, slopes, and left out where the loss computes it") {
  for (const std::string name : {"linear", "tanh", "elu:0.5", "gelu", "softmax"}) {
    const auto one = layer({{"kind", "activation"}, {"activation", name}});
    const Input x = numbers({2, 3}, kBatch);
    const Doubles y = values_of(one, {x});
    if (name == "softmax") {
      for (std::size_t r = 0; r < y.size(); r += 3) {
        CHECK(y[r] + y[r + 1] + y[r + 2] == doctest::Approx(1));
        CHECK(y[r] / y[r + 2] == doctest::Approx(std::exp(x.values[r] - x.values[r + 2])));
      }
    } else {
      const ActivationSpec spec{one->last_activation(0), 0.5};
      for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(y[i] == doctest::Approx(test::scalar_activation(spec, x.values[i])));
      }
    }
    const auto graph = graph_of(one, {{2, 3}});
    Run run(*graph, {x}, kBatch);
    run.fused = {1};
    check_gradients(run);
    run.forward();
    CHECK(run.y[0] == x.values);
  }
}

TEST_CASE("Embedding: rows of its table, their gradients, and the mask of zeros") {
  const auto one =
      layer({{"kind", "embedding"}, {"input_dim", 9}, {"output_dim", 2}, {"mask_zero", true}});
  const auto graph = graph_of(one, {{kAnySize}});
  CHECK_FALSE(graph->elements(0).values);
  CHECK(graph->elements(0).ids == 9);
  CHECK(graph->masked_outputs() == std::vector<bool>{true});
  Run run(*graph, {{{4}, {}, {1, 0, 3, 1, 8, 8, 0, 3, 4, 1, 1, 1}, {}}}, kBatch);
  check_gradients(run);
  run.forward();
  Doubles table(18);
  one->parameters().list()[0].export_to(one->parameters().values(), table.data());
  Doubles expected;
  for (const std::int32_t id : run.inputs[0].ids) {
    for (int c = 0; c < 2; ++c) expected.push_back(table[static_cast<std::size_t>(id * 2 + c)]);
  }
  CHECK(run.y[0] == expected);
  CHECK(run.mask(0, 4) == Bytes{1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1});
  CHECK(one->connect({{4, 5}}) == Shapes{{4, 5, 2}});

  // Elements of the rows that backward touched, each once and in order; zeroing them zeroes all.
  std::vector<std::pair<index, index>> runs;
  run.touched().for_runs([&](index first, index count) { runs.emplace_back(first, count); });
  CHECK(runs == std::vector<std::pair<index, index>>{{0, 4}, {6, 4}, {16, 2}});
  run.touched().for_runs(
      [&](index first, index count) { std::fill_n(run.gradients.begin() + first, count, 0.0); });
  run.touched().clear();
  CHECK(run.touched().count() == 0);
  CHECK(run.gradients == Doubles(run.gradients.size()));

  // Repeated ids add in the order of rows and steps: 1 + 2^-53 + 2^-53 is not 1 + 2^-52.
  run.inputs[0].ids.assign(12, 7);
  Doubles dy(24, 0.0);
  dy[0] = 1, dy[4] = 0x1p-53, dy[20] = 0x1p-53;
  run.forward();
  run.backward({dy});
  CHECK(run.gradient(*one)[14] == 1);
}

TEST_CASE("TouchedRows visits few rows and many in ascending order") {
  for (const index count : {3, 500}) {
    TouchedRows rows(1000, 2);
    for (index row = 999; row > 999 - 2 * count; row -= 2) rows.add(row);
    index next = 2 * (999 - 2 * (count - 1)), runs = 0;
    rows.for_runs([&](index first, index size) {
      CHECK(first == next);
      CHECK(size == 2);
      next += 4;
      ++runs;
    });
    CHECK(runs == count);
    CHECK(rows.count() == count);
  }
}

TEST_CASE("TouchedRows adds all rows where a penalty touches them") {
  TouchedRows rows(5, 3);
  rows.add(3);
  rows.add(3);
  CHECK(rows.count() == 1);
  rows.add_all();
  int calls = 0;
  rows.for_runs([&](index first, index count) {
    CHECK(first == 0);
    CHECK(count == 15);
    ++calls;
  });
  CHECK(calls == 1);
}

base::Options inside(const base::Options& map) {
  base::Options out{{"kind", "time_distributed"}};
  for (const auto& [key, value] : map) out["layer." + key] = value;
  return out;
}

TEST_CASE("TimeDistributed: each step is a sample of the layer inside") {
  const base::Options dense{{"kind", "dense"}, {"units", 2}, {"activation", "tanh"}};
  const Input x = numbers({4, 3}, kBatch);
  const auto all = layer(inside(dense));
  const Doubles y = values_of(all, {x});
  const auto plain = graph_of(all->children()[0].layer, {{3}});
  Run steps(*plain, {{{3}, x.values, {}, {}}}, kBatch * 4);
  steps.forward();
  CHECK(y == steps.y[0]);
  CHECK(all->last_activation(0) == Activation::tanh);
  CHECK(all->connect({{kAnySize, 3}}) == Shapes{{kAnySize, 2}});
  CHECK(error_of(layer(inside(dense)), {{3}}) ==
        "[time_distributed] input of a sample has shape (3,); expected (steps, ..., features)");
}

TEST_CASE("TimeDistributed: recurrent layers, graphs and ids inside") {
  const base::Options lstm{{"kind", "lstm"}, {"units", 2}};
  values_of(layer(inside(lstm)), {numbers({2, 3, 2}, kBatch)});
  base::Options stateful = lstm;
  stateful["stateful"] = true;
  CHECK(error_of(layer(inside(stateful)), {{2, 3, 2}}) ==
        "[time_distributed] layer is stateful; expected layers that begin each batch with zeros");

  auto words = std::make_shared<Graph>();
  words->add_input({3}, "words");
  words->add_node(layer({{"kind", "embedding"}, {"input_dim", 5}, {"output_dim", 2}}), {{0, 0}});
  words->add_node(layer(lstm), {{1, 0}});
  words->set_outputs({{2, 0}});
  const auto graph = graph_of(
      layer({{"kind", "time_distributed"}}, {{"layer", std::shared_ptr<Layer<double>>(words)}}),
      {{2, 3}});
  CHECK_FALSE(graph->elements(0).values);
  CHECK(graph->elements(0).ids == 5);
  Run run(*graph, {{{2, 3}, {}, {0, 1, 2, 3, 4, 0, 1, 1, 2, 3, 3, 4, 0, 0, 0, 1, 2, 4}, {}}},
          kBatch);
  check_gradients(run);

  auto two = std::make_shared<Graph>();
  two->add_input({3}, "a");
  two->add_input({3}, "b");
  two->set_outputs({{0, 0}});
  CHECK(test::message_of([&] {
          layer({{"kind", "time_distributed"}}, {{"layer", std::shared_ptr<Layer<double>>(two)}});
        }) == "[time_distributed] the layer inside has 2 inputs; expected 1");
}

TEST_CASE("TimeDistributed: masks of steps stay, those of parts of steps become theirs") {
  const auto mask_of = [](const base::Options& map, const Shape& shape, const Bytes& mask,
                          index rows) {
    const auto graph = graph_of(layer(inside(map)), {shape});
    Input x = numbers(shape, kBatch);
    x.mask = mask;
    Run run(*graph, {x}, kBatch);
    run.forward();
    return run.mask(0, rows);
  };
  const Bytes steps{1, 0, 0, 0, 1, 1};
  CHECK(mask_of({{"kind", "dense"}, {"units", 4}}, {2, 4}, steps, 2) == steps);
  CHECK(mask_of({{"kind", "reshape"}, {"target_shape", base::Extents{2, 2}}}, {2, 4}, steps, 4) ==
        Bytes{1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(mask_of({{"kind", "lstm"}, {"units", 2}}, {2, 2, 3}, {1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0},
                2) == Bytes{1, 0, 1, 1, 0, 0});
  CHECK(mask_of({{"kind", "masking"}}, {2, 4}, {}, 2).empty());
}

}  // namespace
}  // namespace lstmfast::layers
