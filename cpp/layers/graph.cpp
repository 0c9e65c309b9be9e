#include "layers/graph.h"

#include <algorithm>

#include "base/check.h"

namespace lstmfast::layers {
namespace {

// Models in models multiply: each may stand at several nodes of the next.
constexpr index kMaxRuns = 100000;

}  // namespace

template <class T>
index Graph<T>::add(Node node, const Shapes& outputs) {
  const index number = static_cast<index>(nodes_.size());
  if (number > 0) node.edge = nodes_.back().edge + static_cast<index>(nodes_.back().inputs.size());
  node.first = static_cast<index>(values_.size());
  node.count = static_cast<index>(outputs.size());
  for (index o = 0; o < node.count; ++o) values_.push_back({number, o});
  shapes_.insert(shapes_.end(), outputs.begin(), outputs.end());
  nodes_.push_back(std::move(node));
  return number;
}

template <class T>
index Graph<T>::add_input(const Shape& shape, std::string name) {
  LF_ASSERT(static_cast<index>(nodes_.size()) == inputs());
  static_cast<void>(shape.count());
  names_.push_back(std::move(name));
  return add({}, {shape});
}

template <class T>
void Graph<T>::set_layers(const std::vector<std::shared_ptr<Layer<T>>>& layers) {
  auto& children = this->children_;
  for (const auto& layer : layers) {
    children.push_back({"layers." + std::to_string(children.size()), layer});
  }
}

template <class T>
index Graph<T>::add_node(std::shared_ptr<Layer<T>> layer, const std::vector<Place>& inputs,
                         std::optional<bool> training) {
  Node node;
  node.training = training;
  node.layer = std::move(layer);
  for (const Place& place : inputs) node.inputs.push_back(value_of(place));
  const index runs = runs_ + node.layer->runs();
  LF_CHECK(runs <= kMaxRuns, "[model.config] the layers up to node "
                                 << nodes_.size() << " run " << runs
                                 << " times, with those inside; expected at most " << kMaxRuns);
  const Shapes outputs = node.layer->connect(chosen(node.inputs, shapes_));
  runs_ = runs;
  for (const index value : node.inputs) ++values_[value].uses;
  auto& children = this->children_;
  const auto known = std::find_if(children.begin(), children.end(),
                                  [&](const auto& child) { return child.layer == node.layer; });
  node.child = known - children.begin();
  if (known == children.end()) {
    children.push_back({"layers." + std::to_string(node.child), node.layer});
  }
  return add(std::move(node), outputs);
}

template <class T>
void Graph<T>::set_outputs(const std::vector<Place>& outputs) {
  LF_CHECK(!outputs.empty(), "[model.config] there are no outputs; expected at least one");
  outputs_.clear();
  for (const Place& place : outputs) outputs_.push_back(value_of(place));
  for (Value& value : values_) value.elements = {false, 0};
  for (const index value : outputs_) values_[value].elements.values = true;
  for (index v = static_cast<index>(values_.size()); v-- > 0;) {
    Value& value = values_[v];
    if (value.elements.ids == 0) value.elements.values = true;
    const Layer<T>* const layer = layer_of(v);
    if (layer == nullptr) continue;
    LF_CHECK(value.elements.ids == 0 || layer->moves_ids(),
             "[model.config] node " << value.node
                                    << " is asked for ids, but makes values; expected an Input, or "
                                       "a layer that only moves its elements");
    if (value.output > 0) continue;
    const std::vector<index>& inputs = nodes_[value.node].inputs;
    for (index j = 0; j < static_cast<index>(inputs.size()); ++j) {
      Elements& input = values_[inputs[j]].elements;
      const Elements needs = layer->input_elements(j, value.elements);
      input.values |= needs.values;
      if (needs.ids > 0) input.ids = input.ids > 0 ? std::min(input.ids, needs.ids) : needs.ids;
    }
  }
}

template <class T>
index Graph<T>::value_of(const Place& place) const {
  const index node = place.first, output = place.second, nodes = static_cast<index>(nodes_.size());
  LF_CHECK(node >= 0 && node < nodes && output >= 0 && output < nodes_[node].count,
           "[model.config] there is no output " << output << " of node " << node);
  return nodes_[node].first + output;
}

// ---- Shapes and masks ----

template <class T>
void Graph<T>::check_shapes(const Shapes& shapes) const {
  for (index k = 0; k < inputs(); ++k) {
    LF_CHECK(shapes[k].fits(shapes_[k]), "[model] input " << k << " has samples of shape "
                                                          << shapes[k].text() << "; expected "
                                                          << shapes_[k].text());
  }
}

template <class T>
Shapes Graph<T>::shapes_for(Shapes shapes) const {
  for (const Node& node : nodes_) {
    if (node.layer == nullptr) continue;
    const Shapes own = node.layer->output_shapes(chosen(node.inputs, shapes));
    shapes.insert(shapes.end(), own.begin(), own.end());
  }
  return shapes;
}

template <class T>
bool Graph<T>::draws() const {
  return Layer<T>::draws() || std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
           return node.training.value_or(false);
         });
}

template <class T>
Alongs Graph<T>::begin_steps(LayerState& state, const Shapes&, const Alongs& inputs,
                             std::vector<CarriedState<T>*>& carried) const {
  this->check_steps(!draws(), "has a call with training=True", "training=None");
  Alongs along = inputs;
  for (index n = this->inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    const Node& node = nodes_[n];
    const Alongs own =
        node.layer->begin_steps(state_of(this->own(state), n), chosen(node.inputs, shapes_),
                                chosen(node.inputs, along), carried);
    along.insert(along.end(), own.begin(), own.end());
  }
  return chosen(outputs_, along);
}

template <class T>
std::vector<bool> Graph<T>::masks_for(std::vector<bool> masked) const {
  masked.resize(values_.size());
  for (index v = inputs(); v < static_cast<index>(values_.size()); ++v) {
    const Value& value = values_[v];
    masked[v] = layer_of(v)->masks(value.output, chosen(nodes_[value.node].inputs, masked));
  }
  return masked;
}

template <class T>
bool Graph<T>::takes_masked_ids() const {
  return std::all_of(nodes_.begin() + inputs(), nodes_.end(), [&](const Node& node) {
    return node.layer->takes_masked_ids() ||
           std::none_of(node.inputs.begin(), node.inputs.end(),
                        [&](index v) { return v < inputs() && values_[v].elements.ids > 0; });
  });
}

template <class T>
std::vector<index> Graph<T>::mask_ends(const std::vector<bool>& of_inputs) const {
  const std::vector<bool> masked = masks_for(of_inputs);
  std::vector<index> out;
  for (index n = inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    const Node& node = nodes_[n];
    const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                 [&](index value) { return masked[value]; });
    if (any && node.layer->drops_masks()) out.push_back(n);
  }
  return out;
}

template <class T>
std::vector<const Layer<T>*> Graph<T>::running() const {
  std::vector<const Layer<T>*> out;
  for (std::size_t n = names_.size(); n < nodes_.size(); ++n) {
    out.push_back(nodes_[n].layer.get());
  }
  return out;
}

template <class T>
Activation Graph<T>::last_activation(index output) const {
  const index value = outputs_[output];
  const Layer<T>* const layer = layer_of(value);
  const bool alone = layer != nullptr && values_[value].uses == 0 &&
                     std::count(outputs_.begin(), outputs_.end(), value) == 1;
  // the penalty reads the values after the activation
  if (!alone || layer->output_penalty()) return Activation::linear;
  return layer->last_activation(values_[value].output);
}

template <class T>
double Graph<T>::flops(const Shapes& inputs) const {
  const Shapes shapes = shapes_for(inputs);
  double sum = 0;
  for (const Node& node : nodes_) {
    if (node.layer != nullptr) sum += node.layer->flops(chosen(node.inputs, shapes));
  }
  return sum;
}

template class Graph<float>;
template class Graph<double>;

}  // namespace lstmfast::layers
