// Graphs as configurations: what is read is written again, and what no graph can be is refused.
#include <doctest/doctest.h>

#include "model/definition.h"
#include "support.h"

namespace lstmfast::model {
namespace {

using base::Extents;
using base::Options;
using test::message_of;

// Ids and a sequence in; a layer used twice, a graph in the graph, states from layer to layer; two
// outputs.
Options branched() {
  return {{"dtype", "float64"},
          {"inputs", 2},
          {"inputs.0.name", "ids"},
          {"inputs.0.shape", Extents{base::kAnyExtent}},
          {"inputs.1.name", "steps"},
          {"inputs.1.shape", Extents{base::kAnyExtent, 3}},
          {"layers", 4},
          {"layers.0.kind", "embedding"},
          {"layers.0.name", "words"},
          {"layers.0.input_dim", 9},
          {"layers.0.output_dim", 3},
          {"layers.0.mask_zero", true},
          {"layers.1.kind", "lstm"},
          {"layers.1.name", "shared"},
          {"layers.1.units", 4},
          {"layers.2.kind", "graph"},
          {"layers.2.name", "inner"},
          {"layers.2.input_shape", Extents{4}},
          {"layers.2.layers", 1},
          {"layers.2.layers.0.kind", "dense"},
          {"layers.2.layers.0.name", "end"},
          {"layers.2.layers.0.units", 2},
          {"layers.3.kind", "maximum"},
          {"layers.3.name", "most"},
          {"nodes", 5},
          {"nodes.0.layer", 0},
          {"nodes.0.inputs", "0.0"},
          {"nodes.1.layer", 1},
          {"nodes.1.inputs", "2.0"},
          {"nodes.2.layer", 1},
          {"nodes.2.inputs", "1.0,3.1,3.2"},
          {"nodes.3.layer", 2},
          {"nodes.3.inputs", "4.0"},
          {"nodes.4.layer", 3},
          {"nodes.4.inputs", "3.0,4.0"},
          {"outputs", "5.0,6.0"}};
}

TEST_CASE("a graph is written as it was read, typed and as a file's texts") {
  const Options config = branched();
  const Definition<double> definition = read_definition<double>(config);
  CHECK(definition.config() == config);
  CHECK(read_definition<double>(base::from_texts(base::to_texts(config))).config() == config);
  std::vector<std::string> paths;
  for (const auto& each : definition.parameters) paths.push_back(each.path);
  CHECK(paths == std::vector<std::string>{"layers.0", "layers.1", "layers.2.layers.0"});
  const layers::Graph<double>& graph = *definition.graph;
  CHECK(graph.input_name(0) == "ids");
  CHECK_FALSE(graph.elements(0).values);
  CHECK(graph.elements(0).ids > 0);
  CHECK(graph.output_shape(0) == layers::Shape{2});
  CHECK(graph.output_shape(1) == layers::Shape{4});
  CHECK_FALSE(graph.in_a_row());
}

TEST_CASE("errors of graphs name the key") {
  const auto message = [](const std::string& key, const base::Value& value) {
    Options config = branched();
    config[key] = value;
    return message_of([&] { read_definition<double>(config); });
  };
  for (const char* places : {"", "3", "3.", "3.0,", "3.0;4.0", "a.0", "3.0,4.0x"}) {
    CAPTURE(places);
    CHECK(message("nodes.4.inputs", places) ==
          "[model.config] nodes.4.inputs is \"" + std::string(places) +
              "\"; expected values as NODE.OUTPUT, with commas between them");
  }
  CHECK(message("nodes.4.inputs", "3.0,7.0") == "[model.config] there is no output 0 of node 7");
  CHECK(message("nodes.4.inputs", "3.9,4.0") == "[model.config] there is no output 9 of node 3");
  CHECK(message("nodes.0.inputs", "0.0,1.0") == "[embedding] got 2 inputs; expected 1");
  CHECK(message("nodes.4.layer", 4).find("nodes.4.layer is 4; expected an integer from 0 to 3") !=
        std::string::npos);
  CHECK(message("inputs.2.shape", Extents{2}).find("inputs.2.shape") != std::string::npos);
}

TEST_CASE("layers of a graph stand in any order, each in a node") {
  Options config = {{"inputs", 1},         {"inputs.0.shape", Extents{4}},
                    {"layers", 2},         {"layers.0.kind", "dense"},
                    {"layers.0.units", 4}, {"layers.1.kind", "dense"},
                    {"layers.1.units", 2}, {"nodes", 2},
                    {"nodes.0.layer", 0},  {"nodes.0.inputs", "0.0"},
                    {"nodes.1.layer", 1},  {"nodes.1.inputs", "1.0"},
                    {"outputs", "2.0"}};
  const auto message = [&] { return message_of([&] { read_definition<float>(config); }); };
  const char* const expected = "[model.config] layers is 2; expected each in a node at least";
  CHECK(message().empty());
  config["nodes.0.layer"] = 1, config["nodes.1.layer"] = 0;
  CHECK(message().empty());
  config["nodes.0.layer"] = 0;  // the other one is not used
  CHECK(message() == expected);
}

TEST_CASE("sizes of samples do not overflow") {
  const auto message = [](const Extents& input, const Extents& target) {
    return message_of([&] {
      read_definition<float>({{"input_shape", input},
                              {"layers", 1},
                              {"layers.0.kind", "reshape"},
                              {"layers.0.target_shape", target}});
    });
  };
  constexpr index k30 = index{1} << 30;
  // 2^64 + 4 elements, 2^64 of them, and 2^64 next to the open size.
  CHECK(message({4}, {20, index{5581} * 8681, 49477, 384773}) ==
        "[shape] a sample has shape (20, 48448661, 49477, 384773); expected at most 1099511627776 "
        "elements");
  CHECK(message({4}, {k30, k30, 16}).find("[shape]") == 0);
  CHECK(message({4}, {base::kAnyExtent, k30, k30, 16}).find("[shape]") == 0);
  CHECK(message({base::kAnyExtent, 4}, {base::kAnyExtent, k30, k30, 16}).find("[shape]") == 0);
  CHECK(message({k30, 1024}, {1024, k30}).empty());
}

}  // namespace
}  // namespace lstmfast::model
