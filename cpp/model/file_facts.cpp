#include "model/file_facts.h"

#include <algorithm>
#include <stdexcept>

#include "model/stream.h"

namespace lstmfast::model {
namespace {

// Numbers in the parameters of a layer and of those in it; `products`: only in those that inputs
// are multiplied with.
template <class T>
index numbers_of(layers::Layer<T>& layer, bool products) {
  index count = 0;
  layers::for_each_layer(layer, "", [&](const std::string&, const layers::Layer<T>& each) {
    for (const layers::Parameter& parameter : each.parameters().list()) {
      const bool multiplies = parameter.shape.size() > 1 && !each.parameters().sparse();
      if (multiplies || !products) count += parameter.count();
    }
  });
  return count;
}

// How often a layer with this output, of all steps, applies its weights at one step.
index positions(const layers::Shape& output) {
  return output.rank < 3 ? 1 : output.count(1, output.rank - 1);
}

template <class T>
void add_streaming(const Definition<T>& definition, FileFacts& facts) {
  const layers::Graph<T>& graph = *definition.graph;
  Stepper<T> stepper(definition.graph);
  try {
    check_draws(graph);
    facts.stream_bytes = stepper.bytes_for(1);
  } catch (const std::invalid_argument& error) {
    facts.cannot_stream = error.what();
    return;
  }
  for (const auto& node : graph.nodes()) {
    if (node.layer == nullptr) continue;
    facts.multiply_adds +=
        numbers_of(*node.layer, true) * positions(graph.declared_shape(node.first));
  }
}

}  // namespace

template <class T>
FileFacts facts_of(const Definition<T>& definition) {
  const layers::Graph<T>& graph = *definition.graph;
  FileFacts facts;
  for (index k = 0; k < graph.inputs(); ++k) {
    facts.inputs.push_back({graph.input_name(k), graph.declared_shape(k), graph.elements(k).ids});
  }
  for (const auto& node : graph.nodes()) {
    if (node.layer == nullptr) continue;
    facts.layers.push_back({node.layer->name(), node.layer->kind(), numbers_of(*node.layer, false),
                            graph.declared_shape(node.first)});
  }
  for (index k = 0; k < graph.outputs(); ++k) facts.outputs.push_back(graph.output_shape(k));
  index largest = 0;
  for (const Owned<T>& each : definition.parameters) {
    for (const layers::Parameter& parameter : each.parameters->list()) {
      facts.parameters += parameter.count();
      largest = std::max(largest, parameter.count());
    }
  }
  facts.weight_bytes = definition.bytes();
  facts.loading_bytes = facts.weight_bytes + static_cast<std::size_t>(largest) * sizeof(T);
  add_streaming(definition, facts);
  return facts;
}

template FileFacts facts_of(const Definition<float>&);
template FileFacts facts_of(const Definition<double>&);

}  // namespace lstmfast::model
