// Passes through graphs of several nodes: values and layers used twice, several outputs, ids,
// masks, frozen layers, memory that values share.
#include <doctest/doctest.h>

#include "count_allocations.h"
#include "graph_problem.h"

namespace lstmfast::layers {
namespace {

using test::allocations;
using test::Bytes;
using test::check_close;
using test::check_gradients;
using test::Doubles;
using test::Graph;
using test::Input;
using test::layer;
using test::numbers;
using test::Run;

constexpr index kBatch = 3;

std::shared_ptr<Layer<double>> dense(index units, const char* activation = "tanh") {
  return layer({{"kind", "dense"}, {"units", units}, {"activation", activation}});
}

std::shared_ptr<Layer<double>> embedding(index input_dim, bool mask_zero = false) {
  return layer({{"kind", "embedding"},
                {"input_dim", input_dim},
                {"output_dim", 2},
                {"mask_zero", mask_zero}});
}

// y of a run of its own for inference, in which values share memory.
std::vector<Doubles> inferred(Graph& graph, const std::vector<Input>& inputs) {
  Run run(graph, inputs, kBatch, false);
  run.forward();
  return run.y;
}

TEST_CASE("a value that is used twice gets both gradients") {
  Graph graph;
  graph.add_input({4}, "x");
  const index hidden = graph.add_node(dense(4), {{0, 0}});
  const index more = graph.add_node(dense(4, "sigmoid"), {{hidden, 0}});
  const index sum = graph.add_node(layer({{"kind", "add"}}), {{hidden, 0}, {more, 0}});
  const index square = graph.add_node(layer({{"kind", "multiply"}}), {{sum, 0}, {sum, 0}});
  const index skip = graph.add_node(layer({{"kind", "concatenate"}}), {{0, 0}, {square, 0}});
  graph.set_outputs({{skip, 0}});
  Run run(graph, {numbers({4}, kBatch)}, kBatch);
  check_gradients(run);
  run.forward();
  CHECK(inferred(graph, run.inputs) == run.y);
}

TEST_CASE("a layer that is used twice shares its weights, and adds up their gradients") {
  Graph graph;
  graph.add_input({4}, "a");
  graph.add_input({4}, "b");
  const auto shared = dense(4);
  const auto words = embedding(7);
  graph.add_input({2}, "ids");
  const index a = graph.add_node(shared, {{0, 0}});
  const index b = graph.add_node(shared, {{1, 0}});
  const index again = graph.add_node(shared, {{a, 0}});
  const index first = graph.add_node(words, {{2, 0}});
  const index flat = graph.add_node(layer({{"kind", "flatten"}}), {{first, 0}});
  const index second = graph.add_node(words, {{2, 0}});
  const index flat_too = graph.add_node(layer({{"kind", "flatten"}}), {{second, 0}});
  const index y =
      graph.add_node(layer({{"kind", "multiply"}}), {{again, 0}, {b, 0}, {flat, 0}, {flat_too, 0}});
  graph.set_outputs({{y, 0}});
  CHECK(graph.children().size() == 5);  // two of them Flatten
  Run run(graph,
          {numbers({4}, kBatch, 1), numbers({4}, kBatch, 2), {{2}, {}, {1, 2, 2, 2, 6, 0}, {}}},
          kBatch);
  check_gradients(run);
  CHECK(run.touched().count() == 4);
}

TEST_CASE("several outputs, of which one is used on, one is an input and one is put out twice") {
  Graph graph;
  graph.add_input({3}, "x");
  const index hidden = graph.add_node(dense(4), {{0, 0}});
  const index y = graph.add_node(dense(2), {{hidden, 0}});
  graph.set_outputs({{hidden, 0}, {y, 0}, {y, 0}, {0, 0}});
  Run run(graph, {numbers({3}, kBatch)}, kBatch);
  check_gradients(run);
  run.forward();
  CHECK(run.y[1] == run.y[2]);
  CHECK(run.y[3] == run.inputs[0].values);
  CHECK(inferred(graph, run.inputs) == run.y);
  CHECK(graph.last_activation(0) == Activation::linear);
  CHECK(graph.last_activation(1) == Activation::linear);  // put out twice

  // Outputs without a gradient.
  run.backward({Doubles(12, 1.0), {}, {}, {}});
  CHECK(run.dx[0] != Doubles(9));
}

TEST_CASE("an input that reaches no output with a gradient has zeros") {
  Graph graph;
  graph.add_input({3}, "x");
  graph.add_input({3}, "y");
  graph.set_outputs(
      {{graph.add_node(dense(2), {{0, 0}}), 0}, {graph.add_node(dense(2), {{1, 0}}), 0}});
  Run run(graph, {numbers({3}, kBatch), numbers({3}, kBatch)}, kBatch);
  run.forward();
  run.backward({Doubles(6, 1.0), {}});
  CHECK(run.dx[1] == Doubles(9));
}

TEST_CASE("a graph in a graph, with several inputs and outputs") {
  auto inner = std::make_shared<Graph>();
  inner->add_input({3}, "a");
  inner->add_input({3}, "b");
  const index sum = inner->add_node(layer({{"kind", "subtract"}}), {{0, 0}, {1, 0}});
  inner->set_outputs({{inner->add_node(dense(2), {{sum, 0}}), 0}, {sum, 0}});
  Graph graph;
  graph.add_input({3}, "x");
  graph.add_input({3}, "y");
  const index both = graph.add_node(inner, {{0, 0}, {1, 0}});
  const index other = graph.add_node(inner, {{both, 1}, {0, 0}});
  graph.set_outputs({{both, 0}, {other, 0}});
  Run run(graph, {numbers({3}, kBatch, 1), numbers({3}, kBatch, 2)}, kBatch);
  check_gradients(run);
  run.forward();
  CHECK(inferred(graph, run.inputs) == run.y);
}

TEST_CASE("frozen layers pass gradients on and have none") {
  Graph graph;
  graph.add_input({3}, "x");
  graph.add_input({2}, "ids");
  const auto frozen = dense(4), learning = dense(4);
  const auto words = embedding(5);
  const index hidden = graph.add_node(learning, {{0, 0}});
  const index above = graph.add_node(frozen, {{hidden, 0}});
  const index flat =
      graph.add_node(layer({{"kind", "flatten"}}), {{graph.add_node(words, {{1, 0}}), 0}});
  graph.set_outputs({{graph.add_node(layer({{"kind", "add"}}), {{above, 0}, {flat, 0}}), 0}});
  Run run(graph, {numbers({3}, kBatch), {{2}, {}, {0, 1, 2, 3, 4, 4}, {}}}, kBatch);
  frozen->parameters().set_trainable(false);
  words->parameters().set_trainable(false);
  check_gradients(run);
  CHECK(run.gradient(*frozen) == Doubles(16));
  CHECK(run.gradient(*words) == Doubles(10));
  CHECK(run.touched().count() == 0);
  CHECK(run.gradient(*learning) != Doubles(12));

  // Thawed, at the next step.
  frozen->parameters().set_trainable(true);
  run.forward();
  run.backward({Doubles(12, 1.0)});
  CHECK(run.gradient(*frozen) != Doubles(16));
}

TEST_CASE("ids go through layers that move elements") {
  for (const base::Options& map :
       {base::Options{{"kind", "reshape"}, {"target_shape", base::Extents{3, 2}}},
        {{"kind", "flatten"}},
        {{"kind", "permute"}, {"dims", base::Extents{2, 1}}}}) {
    Graph graph;
    graph.add_input({2, 3}, "ids");
    const index moved = graph.add_node(layer(map), {{0, 0}});
    const index words = graph.add_node(embedding(9), {{moved, 0}});
    graph.set_outputs({{words, 0}});
    CHECK_FALSE(graph.elements(0).values);
    CHECK(graph.elements(0).ids == 9);
    const std::vector<std::int32_t> ids = {0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 8, 8, 8, 7, 6, 5};
    Run run(graph, {{{2, 3}, {}, ids, {}}}, kBatch);
    check_gradients(run);
    run.forward();
    const Layer<double>& table = *graph.nodes()[static_cast<std::size_t>(words)].layer;
    for (std::size_t i = 0; i < 18; ++i) {
      const std::size_t sample = i / 6 * 6, step = i % 6;
      const bool permuted = map.at("kind").text() == "permute";
      const std::size_t from = sample + (permuted ? step % 2 * 3 + step / 2 : step);
      CHECK(run.y[0][i * 2] == table.parameters().values()[ids[from] * 2]);
    }
  }
}

TEST_CASE("an input that feeds layers of both kinds carries both, and ids repeat as values do") {
  Graph graph;
  graph.add_input({2}, "x");
  const index repeated = graph.add_node(layer({{"kind", "repeat_vector"}, {"n", 2}}), {{0, 0}});
  const index words = graph.add_node(embedding(6), {{repeated, 0}});
  const index few = graph.add_node(embedding(4), {{0, 0}});
  const index values = graph.add_node(dense(2), {{repeated, 0}});
  graph.set_outputs({{words, 0}, {few, 0}, {values, 0}});
  CHECK(graph.elements(0).values);
  CHECK(graph.elements(0).ids == 4);
  const std::vector<std::int32_t> ids = {0, 1, 2, 3, 3, 0};
  Run run(graph, {{{2}, {0, 1, 2, 3, 3, 0}, ids, {}}}, kBatch);
  run.forward();
  const Layer<double>& table = *graph.nodes()[static_cast<std::size_t>(words)].layer;
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK(run.y[0][i * 2] == table.parameters().values()[ids[i / 4 * 2 + i % 2] * 2]);
  }
  CHECK(inferred(graph, run.inputs) == run.y);
  run.backward({Doubles(24), Doubles(12), Doubles(12, 1.0)});
  CHECK(run.dx[0] != Doubles(6));  // through Dense

  Graph wrong;
  wrong.add_input({2}, "x");
  wrong.add_node(embedding(4), {{wrong.add_node(dense(2), {{0, 0}}), 0}});
  CHECK(test::message_of([&] { wrong.set_outputs({{2, 0}}); }) ==
        "[model.config] node 1 is asked for ids, but makes values; expected an Input, or a layer "
        "that only moves its elements");

  Graph state;
  state.add_input({2, 2}, "x");
  const index lstm = state.add_node(layer({{"kind", "lstm"}, {"units", 2}}), {{0, 0}});
  state.add_node(embedding(4), {{lstm, 1}});
  CHECK(test::message_of([&] { state.set_outputs({{2, 0}}); }).find("node 1 is asked for ids") !=
        std::string::npos);
}

TEST_CASE("masks on their way through a graph") {
  Graph graph;
  graph.add_input({3}, "ids");
  const index words = graph.add_node(embedding(5, true), {{0, 0}});
  const index hidden = graph.add_node(
      layer({{"kind", "lstm"}, {"units", 2}, {"return_sequences", true}}), {{words, 0}});
  const index both = graph.add_node(layer({{"kind", "concatenate"}}), {{words, 0}, {hidden, 0}});
  const index flat = graph.add_node(layer({{"kind", "flatten"}}), {{both, 0}});
  graph.set_outputs({{both, 0}, {flat, 0}});
  CHECK(graph.masked_outputs() == std::vector<bool>{true, false});
  CHECK(graph.mask_ends() == std::vector<index>{flat});
  Run run(graph, {{{3}, {}, {1, 2, 0, 0, 3, 4, 1, 0, 0}, {}}}, kBatch);
  check_gradients(run);
  run.forward();
  CHECK(run.mask(0, 3) == Bytes{1, 1, 0, 0, 1, 1, 1, 0, 0});
  CHECK(run.mask(1, 1).empty());
  CHECK(inferred(graph, run.inputs) == run.y);
}

TEST_CASE("a state starts another layer and gets its gradient") {
  Graph graph;
  graph.add_input({4, 2}, "source");
  graph.add_input({3, 2}, "target");
  const index encoder = graph.add_node(layer({{"kind", "lstm"}, {"units", 3}}), {{0, 0}});
  const index decoder =
      graph.add_node(layer({{"kind", "lstm"}, {"units", 3}, {"return_sequences", true}}),
                     {{1, 0}, {encoder, 1}, {encoder, 2}});
  graph.set_outputs({{decoder, 0}, {decoder, 2}});
  Run run(graph, {numbers({4, 2}, kBatch, 1), numbers({3, 2}, kBatch, 2)}, kBatch);
  check_gradients(run);
  run.forward();
  CHECK(inferred(graph, run.inputs) == run.y);
}

TEST_CASE("passes allocate nothing once memory is planned") {
  Graph graph;
  graph.add_input({4, 2}, "x");
  graph.add_input({4}, "ids");
  const index words = graph.add_node(embedding(5, true), {{1, 0}});
  const index masked = graph.add_node(layer({{"kind", "masking"}}), {{0, 0}});
  const index steps = graph.add_node(
      layer({{"kind", "time_distributed"}, {"layer.kind", "dense"}, {"layer.units", 2}}),
      {{masked, 0}});
  std::vector<Place> merges;
  for (const char* kind : {"add", "multiply", "average", "maximum", "minimum", "concatenate"}) {
    merges.push_back({graph.add_node(layer({{"kind", kind}}), {{words, 0}, {steps, 0}}), 0});
  }
  const index all = graph.add_node(layer({{"kind", "concatenate"}}), merges);
  const index permuted =
      graph.add_node(layer({{"kind", "permute"}, {"dims", base::Extents{2, 1}}}), {{all, 0}});
  const index dot = graph.add_node(layer({{"kind", "dot"}, {"axes.0", 2}, {"axes.1", 2}}),
                                   {{permuted, 0}, {permuted, 0}});
  graph.set_outputs({{dot, 0}});
  Input x = numbers({4, 2}, kBatch);
  x.values[4] = x.values[5] = 0;
  Run run(graph, {x, {{4}, {}, {1, 0, 3, 4, 0, 0, 1, 1, 1, 1, 1, 2}, {}}}, kBatch);
  std::vector<Doubles> dy = {Doubles(run.y[0].size(), 1.0)};
  run.forward();
  run.backward(dy);
  const long before = allocations;
  run.forward();
  const long after_forward = allocations;
  run.backward(std::move(dy));
  CHECK(after_forward == before);
  CHECK(allocations == before);
  CHECK(inferred(graph, run.inputs) == run.y);
}

}  // namespace
}  // namespace lstmfast::layers
