// Layers as the nodes of a graph, itself a layer. Knows no kind of layer.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/layer.h"

namespace lstmfast::layers {

// A value as a node and the number of its output.
using Place = std::pair<index, index>;

// Nodes are in topological order, inputs first. The outputs of nodes are numbered as values; later
// nodes take values as inputs, any number of times. Several nodes may have the same layer and then
// share its parameters, and a layer may be part of several graphs.
template <class T>
class Graph : public Layer<T> {
 public:
  struct Node {
    std::shared_ptr<Layer<T>> layer;  // null: an input of the graph
    std::vector<index> inputs;        // values
    index first = 0, count = 1;       // the node's outputs are values first .. first + count - 1
    index edge = 0;                   // the number of its first input among those of all nodes
  };

  // ---- Construction, in this order ----

  // `shape`: of a sample; may have kAnySize. Returns the number of the node.
  index add_input(const Shape& shape, std::string name);
  // Connects the layer. Throws std::invalid_argument, with nothing changed, for inputs that the
  // layer cannot take. Returns the number of the node.
  index add_node(std::shared_ptr<Layer<T>> layer, const std::vector<Place>& inputs);
  // Also decides which elements each value carries. Throws if a layer that makes no ids would have
  // to, or if `outputs` is empty.
  void set_outputs(const std::vector<Place>& outputs);
  // Rows of every batch, for stateful layers; 0: as many as the first batch has.
  void set_batch_size(index rows) { batch_size_ = rows; }
  // Sets the configuration: in the form of a row (which requires is_row()) or of a graph.
  void describe(bool in_a_row);

  // ---- Parts ----

  const std::vector<Node>& nodes() const { return nodes_; }
  index inputs() const { return static_cast<index>(names_.size()); }
  index outputs() const { return static_cast<index>(outputs_.size()); }
  index batch_size() const { return batch_size_; }
  bool in_a_row() const { return in_a_row_; }
  const std::string& input_name(index k) const { return names_[k]; }
  Place output(index k) const { return place_of(outputs_[k]); }
  const Shape& output_shape(index k) const { return shapes_[outputs_[k]]; }
  Place place_of(index value) const { return {values_[value].node, values_[value].output}; }
  // Each layer once, in the order of the first nodes.
  const std::vector<std::shared_ptr<Layer<T>>>& layers() const { return layers_; }
  const Shape& declared_shape(index value) const { return shapes_[value]; }
  // The elements of input `k`, and the exclusive upper bound of its ids (0: it carries none).
  Elements elements(index k) const { return values_[k].elements; }
  index id_limit(index k) const override { return values_[k].id_limit; }
  // Whether the graph is a row from one input to one output: each node takes output 0 of the node
  // before it alone, and no layer is used twice.
  bool is_row() const;
  // Whether each output has a mask if no input has one.
  std::vector<bool> masked_outputs() const { return chosen(outputs_, masks_for({})); }
  // Nodes at which a mask ends because the layer drops it.
  std::vector<index> mask_ends() const;

  // ---- Layer ----

  index least_inputs() const override { return inputs(); }
  index runs() const override { return runs_; }
  Elements input_elements(index input, Elements) const override { return elements(input); }
  Shapes output_shapes(const Shapes& inputs) const override {
    return chosen(outputs_, shapes_for(inputs));
  }
  std::vector<typename Layer<T>::Child> children() override;
  bool masks(index output, const std::vector<bool>& masked) const override {
    return masks_for(masked)[outputs_[output]];
  }
  Activation last_activation(index output) const override;
  double flops(const Shapes& inputs) const override;
  bool learns(const LayerState& state) const override;

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override;
  void forward(const Pass<T>& pass, LayerState& state, const Ins<T>& in,
               Outs<T>& out) const override;
  void backward(const Pass<T>& pass, LayerState& state, const Ins<T>& in,
                const Outs<T>& out) const override;

 private:
  struct State;
  struct Value {
    index node, output;  // of the node
    index uses = 0;      // inputs of nodes that take it
    Elements elements = 0;
    index id_limit = 0;  // exclusive upper bound of its ids; 0: there is none
  };

  void declare_parameters(const Shapes& inputs) override {
    output_shapes(inputs);  // checks; the layers have declared their parameters
  }
  std::unique_ptr<LayerState> new_state(StateBinding<T>& binding) const override;

  index add(Node node, const Shapes& outputs);
  index value_of(const Place& place) const;
  // The layer that computes a value; null: it is an input of the graph.
  const Layer<T>* layer_of(index value) const { return nodes_[values_[value].node].layer.get(); }
  Shapes shapes_for(Shapes inputs) const;                       // of all values
  std::vector<bool> masks_for(std::vector<bool> inputs) const;  // of all values
  template <class V>
  static std::vector<V> chosen(const std::vector<index>& values, const std::vector<V>& all) {
    std::vector<V> out;
    for (const index value : values) out.push_back(all[value]);
    return out;
  }
  bool is_output(index value) const;
  // Sets the memory of each value for this pass, and which activations are left out.
  void resolve(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const;

  std::vector<Node> nodes_;
  std::vector<std::shared_ptr<Layer<T>>> layers_;
  std::vector<std::string> names_;  // of inputs
  index batch_size_ = 0;
  bool in_a_row_ = false;
  index runs_ = 0;
  std::vector<index> outputs_;  // values
  Shapes shapes_;               // by value, as declared
  std::vector<Value> values_;
};

// Makes the graph that a configuration describes. Keys of a row: input_shape, layers,
// layers.N.kind and the options of each kind. Keys of other graphs: inputs, inputs.N.shape,
// inputs.N.name, layers, nodes, nodes.N.layer, nodes.N.inputs, outputs. A value is written
// NODE.OUTPUT, with inputs as the first nodes. Both forms may have batch_size.
template <class T>
std::unique_ptr<Graph<T>> read_graph(const base::OptionReader& config,
                                     const Children& children = {});

}  // namespace lstmfast::layers
