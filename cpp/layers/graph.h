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
class Graph : public LayerWith<T, Graph<T>> {
 public:
  struct Node {
    std::shared_ptr<Layer<T>> layer;    // null: an input of the graph
    std::vector<index> inputs;          // values
    index child = 0;                    // the layer's number among children()
    index first = 0, count = 1;         // the node's outputs are values first .. first + count - 1
    index edge = 0;                     // the number of its first input among those of all nodes
    std::optional<bool> training = {};  // what the call was given; none: what the pass does
  };
  struct State : LayerState {
    struct OfNode {
      Ins<T> in;
      Outs<T> out;                       // in backward, with a gradient if that has a first term
      std::vector<unsigned char> fused;  // by output
      bool needed = false;               // whether the running backward visits it
      Pass<T> pass;                      // of prepared steps
    };
    struct OfValue {
      index count = 0;  // elements of one sample
      base::Slot<std::int32_t> ids;
      Out<T>* port = nullptr;  // of its node
      T* gradient = nullptr;   // where the running backward puts its gradient
    };
    std::vector<OfNode> nodes;
    std::vector<OfValue> values;
    std::vector<base::Slot<T>> numbers;  // by value
    // By value; then by edge: a further gradient of a value that has one already, to be added to
    // it.
    std::vector<base::Slot<T>> gradients;
  };

  Graph() = default;
  // Makes the graph that a configuration describes. Keys of a row: input_shape, layers,
  // layers.N.kind and the options of each kind. Keys of other graphs: inputs, inputs.N.shape,
  // inputs.N.name, layers, nodes, nodes.N.layer, nodes.N.inputs, nodes.N.training
  // (where it has one), outputs. A value is written NODE.OUTPUT, with inputs as the first nodes.
  // Both forms may have batch_size, those inside of others a note, which the core keeps.
  explicit Graph(const base::OptionReader& config, const Children& children = {});
  Graph(const base::Values& options, const Children& children);  // with a name

  // ---- Construction, in this order ----

  // `shape`: of a sample; may have kAnySize. Returns the number of the node.
  index add_input(const Shape& shape, std::string name);
  // Sets the order of layers, each of which a node will have; without it, that of their first
  // nodes.
  void set_layers(const std::vector<std::shared_ptr<Layer<T>>>& layers);
  // Connects the layer. Throws std::invalid_argument, with nothing changed, for inputs that the
  // layer cannot take. Returns the number of the node.
  index add_node(std::shared_ptr<Layer<T>> layer, const std::vector<Place>& inputs,
                 std::optional<bool> training = {});
  // Also decides which elements each value carries. Throws if a layer that makes no ids would have
  // to, or if `outputs` is empty.
  void set_outputs(const std::vector<Place>& outputs);
  // Sets the configuration: in the form of a row or of a graph. in_a_row: the graph is a row from
  // one input to one output, and no layer is used twice. batch_size: rows of every batch, for
  // stateful layers; 0: as many as the first batch has.
  void describe(bool in_a_row, index batch_size);

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
  const Shape& declared_shape(index value) const { return shapes_[value]; }
  Elements elements(index k) const { return values_[k].elements; }  // of input k
  // Whether each output has a mask, given which inputs have one; empty: none.
  std::vector<bool> masked_outputs(const std::vector<bool>& masked = {}) const {
    return chosen(outputs_, masks_for(masked));
  }
  // Nodes at which a mask ends because the layer drops it.
  std::vector<index> mask_ends(const std::vector<bool>& masked = {}) const;

  // ---- Layer ----

  InputCount input_count() const override { return {inputs(), inputs()}; }
  index runs() const override { return runs_; }
  bool draws() const override;
  Elements input_elements(index input, Elements) const override { return elements(input); }
  Shapes output_shapes(const Shapes& inputs) const override {
    check_shapes(inputs);
    return chosen(outputs_, shapes_for(inputs));
  }
  // As output_shapes(), for any number of steps.
  Shapes shapes_of_steps(const Shapes& inputs) const {
    return chosen(outputs_, shapes_for(inputs));
  }
  bool masks(index output, const std::vector<bool>& masked) const override {
    return masks_for(masked)[outputs_[output]];
  }
  bool takes_masked_ids() const override;
  Activation last_activation(index output) const override;
  double flops(const Shapes& inputs) const override;

  Alongs begin_steps(LayerState& state, const Shapes& shapes, const Alongs& inputs,
                     std::vector<CarriedState<T>*>& carried) const override;

  void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                    StepCalls& calls) const override;

  void plan(State& my, base::Planner& planner, const Extent& extent) const;
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const;
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const;

 private:
  struct Value {
    index node, output;  // of the node
    index uses = 0;      // inputs of nodes that take it
    Elements elements = {};
  };

  std::vector<const Layer<T>*> running() const override;
  std::optional<bool> trains(std::size_t running) const override {
    return nodes_[names_.size() + running].training;
  }
  LayerState& state_of(State& my, index node) const { return *my.inner[node - inputs()]; }

  index add(Node node, const Shapes& outputs);
  index value_of(const Place& place) const;
  // The layer that computes a value; null: it is an input of the graph.
  const Layer<T>* layer_of(index value) const { return nodes_[values_[value].node].layer.get(); }
  void check_shapes(const Shapes& inputs) const;                // throws unless they fit
  Shapes shapes_for(Shapes inputs) const;                       // of all values
  std::vector<bool> masks_for(std::vector<bool> inputs) const;  // of all values
  template <class V>
  static std::vector<V> chosen(const std::vector<index>& values, const std::vector<V>& all) {
    std::vector<V> out;
    for (const index value : values) out.push_back(all[value]);
    return out;
  }

  std::vector<Node> nodes_;
  std::vector<std::string> names_;  // of inputs
  index batch_size_ = 0;
  bool in_a_row_ = false;
  index runs_ = 0;
  std::vector<index> outputs_;  // values
  Shapes shapes_;               // by value, as declared
  std::vector<Value> values_;
};

}  // namespace lstmfast::layers
