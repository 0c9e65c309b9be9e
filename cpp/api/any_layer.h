// Layers and graphs of either element type: made one by one, joined to graphs, called alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/options.h"
#include "layers/graph.h"

namespace lstmfast::api {

// Shares a Layer<float> or a Layer<double>.
class AnyLayer {
 public:
  template <class T>
  explicit AnyLayer(std::shared_ptr<layers::Layer<T>> layer) : held_(std::move(layer)) {}

  // f(std::shared_ptr<layers::Layer<T>>)
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), held_);
  }
  const char* dtype() const { return held_.index() == 0 ? "float32" : "float64"; }

  // Throws std::invalid_argument for a layer of the other type.
  template <class T>
  std::shared_ptr<layers::Layer<T>> as() const;

 private:
  std::variant<std::shared_ptr<layers::Layer<float>>, std::shared_ptr<layers::Layer<double>>> held_;
};

// As model::open_layer; dtype: "float32" or "float64".
AnyLayer open_layer(const base::Options& config, const std::string& dtype,
                    const std::map<std::string, AnyLayer>& children);

// A node of a graph to be made, besides its inputs.
struct NodeSpec {
  AnyLayer layer;
  std::vector<layers::Place> inputs;
};

struct GraphSpec {
  std::vector<std::pair<std::string, layers::Shape>> inputs;  // name and shape of a sample
  std::vector<NodeSpec> nodes;                                // in topological order
  std::vector<layers::Place> outputs;
  index batch_size = 0;   // rows of every batch; 0: the first batch says
  bool in_a_row = false;  // a file describes it as a row of layers
};

// Nodes count from 0, inputs first.
AnyLayer make_graph(const GraphSpec& spec, const std::string& dtype);

// Sets the layer and all in it trainable or frozen; whether any of those is trainable.
void set_trainable(const AnyLayer& layer, bool trainable);
bool is_trainable(const AnyLayer& layer);

}  // namespace lstmfast::api
