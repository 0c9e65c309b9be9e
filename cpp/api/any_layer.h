// Layers and graphs of either element type: made one by one, joined to graphs, called alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "api/any.h"
#include "base/options.h"
#include "layers/graph.h"

namespace lstmfast::api {

using AnyLayer = Any<layers::Layer>;

// As model::open_layer; dtype: "float32" or "float64".
AnyLayer open_layer(const base::Options& config, const std::string& dtype,
                    const std::map<std::string, AnyLayer>& children);

// A node: its layer, the values that the layer takes, and layers::Graph::Node::training.
using AnyNode = std::tuple<AnyLayer, std::vector<layers::Place>, std::optional<bool>>;

// Makes a graph of inputs (name and shape of a sample), nodes in topological order, and outputs.
// Nodes count from 0, inputs first. batch_size: rows of every batch; 0: the first batch says.
// in_a_row: a file describes it as a row of layers.
// order: the layers, if not in the order of their first nodes.
AnyLayer make_graph(const std::vector<std::pair<std::string, layers::Shape>>& inputs,
                    const std::vector<AnyNode>& nodes, const std::vector<layers::Place>& outputs,
                    const std::string& dtype, index batch_size = 0, bool in_a_row = false,
                    const std::vector<AnyLayer>& order = {});

// Sets the layer and all in it trainable or frozen; whether any of those is trainable.
void set_trainable(const AnyLayer& layer, bool trainable);
bool is_trainable(const AnyLayer& layer);

}  // namespace lstmfast::api
