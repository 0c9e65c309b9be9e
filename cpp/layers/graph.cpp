#include "layers/graph.h"

#include <algorithm>

#include "base/check.h"

namespace lstmfast::layers {
namespace {

// Models in models multiply: each may stand at several nodes of the next.
constexpr index kMaxRuns = 100000;

std::size_t at(index i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class T>
index Graph<T>::add_input(const Shape& shape, std::string name) {
  LF_ASSERT(static_cast<index>(nodes_.size()) == inputs_);
  static_cast<void>(shape.count());
  nodes_.push_back({nullptr, {}, values(), 1});
  shapes_.push_back(shape);
  uses_.push_back(0);
  names_.push_back(std::move(name));
  return inputs_++;
}

template <class T>
index Graph<T>::add_node(std::shared_ptr<Layer<T>> layer, const std::vector<Place>& inputs) {
  Node node{std::move(layer), {}, values(), 0};
  for (const Place& place : inputs) node.inputs.push_back(value_of(place));
  const index runs = runs_ + node.layer->runs();
  LF_CHECK(runs <= kMaxRuns, "[model.config] the layers up to node "
                                 << nodes_.size() << " run " << runs
                                 << " times, with those inside; expected at most " << kMaxRuns);
  const Shapes outputs = node.layer->connect(inputs_of(node, shapes_));
  runs_ = runs;
  node.count = static_cast<index>(outputs.size());
  shapes_.insert(shapes_.end(), outputs.begin(), outputs.end());
  uses_.resize(shapes_.size());
  for (const index value : node.inputs) ++uses_[at(value)];
  if (std::find(layers_.begin(), layers_.end(), node.layer) == layers_.end()) {
    layers_.push_back(node.layer);
  }
  nodes_.push_back(std::move(node));
  return static_cast<index>(nodes_.size()) - 1;
}

template <class T>
void Graph<T>::set_outputs(const std::vector<Place>& outputs) {
  LF_CHECK(!outputs.empty(), "[model.config] there are no outputs; expected at least one");
  outputs_.clear();
  for (const Place& place : outputs) outputs_.push_back(value_of(place));
  carried_elements_.assign(shapes_.size(), 0);
  std::vector<index> limits(shapes_.size(), 0);
  for (const index value : outputs_) carried_elements_[at(value)] = kValues;
  for (index n = static_cast<index>(nodes_.size()); n-- > inputs_;) {
    const Node& node = nodes_[at(n)];
    Elements& wanted = carried_elements_[at(node.first)];
    if (wanted == 0) wanted = kValues;
    LF_CHECK((wanted & ~node.layer->output_elements()) == 0,
             "[model.config] node " << n << " is asked for ids, but makes values; expected an "
                                    << "Input, or a layer that only moves its elements");
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const Elements needs = node.layer->input_elements(static_cast<index>(j), wanted);
      carried_elements_[at(node.inputs[j])] |= needs;
      if ((needs & kIds) == 0) continue;
      const index own = node.layer->id_limit(static_cast<index>(j)),
                  limit = own > 0 ? own : limits[at(node.first)];
      index& below = limits[at(node.inputs[j])];
      below = below == 0 ? limit : std::min(below, limit);
    }
  }
  elements_.assign(carried_elements_.begin(), carried_elements_.begin() + inputs_);
  for (Elements& elements : elements_) elements = elements == 0 ? kValues : elements;
  id_limits_.assign(limits.begin(), limits.begin() + inputs_);
}

template <class T>
typename Graph<T>::Place Graph<T>::place_of(index value) const {
  index n = 0;
  while (value >= nodes_[at(n)].first + nodes_[at(n)].count) ++n;
  return {n, value - nodes_[at(n)].first};
}

template <class T>
index Graph<T>::value_of(const Place& place) const {
  const index count = static_cast<index>(nodes_.size());
  LF_CHECK(place.node >= 0 && place.node < count && place.output >= 0 &&
               place.output < nodes_[at(place.node)].count,
           "[model.config] there is no output " << place.output << " of node " << place.node);
  return nodes_[at(place.node)].first + place.output;
}

template <class T>
bool Graph<T>::is_row() const {
  for (index n = 1; n < static_cast<index>(nodes_.size()); ++n) {
    if (nodes_[at(n)].inputs != std::vector<index>{nodes_[at(n - 1)].first}) return false;
  }
  return inputs_ == 1 && nodes_.size() == layers_.size() + 1 &&
         outputs_ == std::vector<index>{nodes_.back().first};
}

// ---- Shapes and masks ----

template <class T>
Shapes Graph<T>::inputs_of(const Node& node, const Shapes& shapes) const {
  Shapes out;
  for (const index value : node.inputs) out.push_back(shapes[at(value)]);
  return out;
}

template <class T>
std::vector<bool> Graph<T>::inputs_of(const Node& node, const std::vector<bool>& masked) const {
  std::vector<bool> out;
  for (const index value : node.inputs) out.push_back(masked[at(value)]);
  return out;
}

template <class T>
void Graph<T>::declare_parameters(const Shapes& inputs) {
  static_cast<void>(output_shapes(inputs));  // checks; the layers have declared their parameters
}

template <class T>
Shapes Graph<T>::shapes_for(const Shapes& inputs) const {
  Shapes shapes = inputs;
  for (index k = 0; k < inputs_; ++k) {
    LF_CHECK(shapes[at(k)].fits(shapes_[at(k)]),
             "[model] input " << k << " has samples of shape " << shapes[at(k)].text()
                              << "; expected " << shapes_[at(k)].text());
  }
  for (index n = inputs_; n < static_cast<index>(nodes_.size()); ++n) {
    const Node& node = nodes_[at(n)];
    const Shapes own = node.layer->output_shapes(inputs_of(node, shapes));
    shapes.insert(shapes.end(), own.begin(), own.end());
  }
  return shapes;
}

template <class T>
Shapes Graph<T>::output_shapes(const Shapes& inputs) const {
  const Shapes shapes = shapes_for(inputs);
  Shapes out;
  for (const index value : outputs_) out.push_back(shapes[at(value)]);
  return out;
}

template <class T>
std::vector<bool> Graph<T>::masks_for(const std::vector<bool>& inputs) const {
  std::vector<bool> masked = inputs;
  masked.resize(shapes_.size());
  for (index n = inputs_; n < static_cast<index>(nodes_.size()); ++n) {
    const Node& node = nodes_[at(n)];
    const std::vector<bool> own = inputs_of(node, masked);
    for (index o = 0; o < node.count; ++o) {
      masked[at(node.first + o)] = node.layer->masks(o, own);
    }
  }
  return masked;
}

template <class T>
bool Graph<T>::masks(index output, const std::vector<bool>& masked) const {
  return masks_for(masked)[at(outputs_[at(output)])];
}

template <class T>
std::vector<bool> Graph<T>::masked_outputs() const {
  const std::vector<bool> masked = masks_for(std::vector<bool>(at(inputs_)));
  std::vector<bool> out;
  for (const index value : outputs_) out.push_back(masked[at(value)]);
  return out;
}

template <class T>
std::vector<index> Graph<T>::mask_ends() const {
  const std::vector<bool> masked = masks_for(std::vector<bool>(at(inputs_)));
  std::vector<index> out;
  for (index n = inputs_; n < static_cast<index>(nodes_.size()); ++n) {
    const std::vector<bool> inputs = inputs_of(nodes_[at(n)], masked);
    const bool any = std::find(inputs.begin(), inputs.end(), true) != inputs.end();
    if (any && nodes_[at(n)].layer->drops_masks()) out.push_back(n);
  }
  return out;
}

template <class T>
std::vector<typename Layer<T>::Child> Graph<T>::children() {
  std::vector<typename Layer<T>::Child> out;
  for (const auto& layer : layers_) {
    out.push_back({"layers." + std::to_string(out.size()), layer.get()});
  }
  return out;
}

template <class T>
Activation Graph<T>::last_activation(index output) const {
  const index value = outputs_[at(output)];
  const Place place = place_of(value);
  const bool alone = uses_[at(value)] == 0 &&
                     std::count(outputs_.begin(), outputs_.end(), value) == 1 &&
                     place.node >= inputs_;
  if (!alone) return Activation::linear;
  const Layer<T>& layer = *nodes_[at(place.node)].layer;
  // the penalty reads the values after the activation
  return layer.output_penalty() ? Activation::linear : layer.last_activation(place.output);
}

template <class T>
double Graph<T>::flops(const Shapes& inputs) const {
  const Shapes shapes = shapes_for(inputs);
  double sum = 0;
  for (index n = inputs_; n < static_cast<index>(nodes_.size()); ++n) {
    sum += nodes_[at(n)].layer->flops(inputs_of(nodes_[at(n)], shapes));
  }
  return sum;
}

#define LF_INSTANTIATE(T)                                                                  \
  template index Graph<T>::add_input(const Shape&, std::string);                           \
  template index Graph<T>::add_node(std::shared_ptr<Layer<T>>, const std::vector<Place>&); \
  template void Graph<T>::set_outputs(const std::vector<Place>&);                          \
  template Graph<T>::Place Graph<T>::place_of(index) const;                                \
  template bool Graph<T>::is_row() const;                                                  \
  template Shapes Graph<T>::shapes_for(const Shapes&) const;                               \
  template Shapes Graph<T>::output_shapes(const Shapes&) const;                            \
  template Shapes Graph<T>::inputs_of(const Node&, const Shapes&) const;                   \
  template std::vector<Layer<T>::Child> Graph<T>::children();                              \
  template bool Graph<T>::masks(index, const std::vector<bool>&) const;                    \
  template std::vector<bool> Graph<T>::masked_outputs() const;                             \
  template std::vector<index> Graph<T>::mask_ends() const;                                 \
  template Activation Graph<T>::last_activation(index) const;                              \
  template double Graph<T>::flops(const Shapes&) const;                                    \
  template void Graph<T>::declare_parameters(const Shapes&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::layers
