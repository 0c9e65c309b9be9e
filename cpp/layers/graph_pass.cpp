// A graph's passes: the memory of its values, forward in the order of the nodes, backward in
// reverse order.
#include <algorithm>
#include <cstring>

#include "layers/graph.h"
#include "layers/graph_memory.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// Of one value in a batch: what layers make of it stays far from overflow.
constexpr index kMostElements = index{1} << 46;

}  // namespace

template <class T>
void Graph<T>::plan(State& my, base::Planner& planner, const Extent& extent) const {
  const Shapes shapes = shapes_for(extent.inputs);
  const index count = static_cast<index>(nodes_.size());
  my.nodes.resize(nodes_.size());
  my.values.resize(shapes.size());
  std::vector<index> uses;  // by value: nodes that will still take it
  const auto size = [&](index v) { return my.values[v].count; };
  for (index n = 0; n < count; ++n) {
    const Node& node = nodes_[n];
    typename State::OfNode& own = my.nodes[n];
    own.in.resize(node.inputs.size());
    own.out.resize(static_cast<std::size_t>(node.count));
    own.fused.resize(own.out.size());
    for (Out<T>& port : own.out) {
      const index v = static_cast<index>(uses.size());
      uses.push_back(values_[v].uses);
      my.values[v].port = &port;
      my.values[v].count = shapes[v].count();
      if (extent.batch > kMostElements / std::max<index>(1, size(v))) {
        throw base::OutOfMemory(base::OutOfMemory::kUncountable);
      }
    }
  }

  // Values, except those of the graph's outputs, which are the caller's, and optional ones that
  // nothing takes. Backward reads all of them; in inference a slot is free after the last node that
  // takes the value.
  SlotPool numbers(shapes.size());
  for (index n = inputs(); n < count; ++n) {
    const Node& node = nodes_[n];
    node.layer->declare(state_of(my, n), planner,
                        {chosen(node.inputs, shapes), extent.batch,
                         extent.training || node.training.value_or(false), extent.steps});
    for (index v = node.first; v < node.first + node.count; ++v) {
      const Value& value = values_[v];
      const bool wanted = value.uses > 0 || !node.layer->optional_output(value.output);
      const bool put_out = std::find(outputs_.begin(), outputs_.end(), v) != outputs_.end();
      if (wanted && !put_out && value.elements.values) numbers.take(v, size(v));
      const index ids = value.elements.ids > 0 ? extent.batch * size(v) : 0;
      my.values[v].ids = planner.add<std::int32_t>(ids);
    }
    if (extent.training) continue;
    for (const index v : node.inputs) {
      if (--uses[v] == 0) numbers.give(v);
    }
    for (index v = node.first; v < node.first + node.count; ++v) {
      if (values_[v].uses == 0) numbers.give(v);
    }
  }
  my.numbers = numbers.template plan<T>(planner, extent.batch);

  // Gradients, from the last node to the first: a value's gradient is live from the last node that
  // takes the value to the node that computes it. Gradients of the graph's inputs and outputs are
  // the caller's, except those of outputs to which further gradients are added.
  if (!extent.training) return;
  const index edges = nodes_.back().edge + static_cast<index>(nodes_.back().inputs.size());
  SlotPool gradients(shapes.size() + static_cast<std::size_t>(edges));  // of values, then of edges
  std::vector<bool> taken(shapes.size());
  for (const index v : outputs_) {
    const Layer<T>* const layer = layer_of(v);
    const bool more = layer != nullptr && (values_[v].uses > 0 || layer->output_penalty());
    if (more && !taken[v]) gradients.take(v, size(v));
    taken[v] = true;
  }
  for (index n = count; n-- > inputs();) {
    const Node& node = nodes_[n];
    if (node.layer->output_penalty() != nullptr && !taken[node.first]) {
      gradients.take(node.first, size(node.first));
    }
    index edge = static_cast<index>(shapes.size()) + node.edge;
    for (const index v : node.inputs) {
      if (taken[v]) {
        gradients.take(edge, size(v));
      } else if (layer_of(v) != nullptr) {
        gradients.take(v, size(v));
      }
      taken[v] = true;
      ++edge;
    }
    for (std::size_t j = 0; j < node.inputs.size(); ++j) gradients.give(--edge);
    for (index v = node.first; v < node.first + node.count; ++v) gradients.give(v);
  }
  my.gradients = gradients.template plan<T>(planner, extent.batch);
}

template <class T>
void Graph<T>::run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
  // The memory of each value, and which activations are left out.
  for (index v = 0; v < static_cast<index>(my.values.size()); ++v) {
    const typename State::OfValue& value = my.values[v];
    *value.port = {pass.arena->at(my.numbers[v]), pass.arena->at(value.ids), nullptr, nullptr};
    if (v >= inputs()) continue;
    // inputs are only read
    value.port->values = const_cast<T*>(in[v].values);
    value.port->ids = const_cast<std::int32_t*>(in[v].ids);
    value.port->mask = in[v].mask;
  }
  for (auto& node : my.nodes) std::fill(node.fused.begin(), node.fused.end(), 0);
  for (index k = outputs(); k-- > 0;) {  // a value that is two outputs: in the first
    const index value = outputs_[k];
    const auto [node, output] = place_of(value);
    if (value >= inputs()) my.values[value].port->values = out[k].values;
    if (pass.fused != nullptr) my.nodes[node].fused[output] = pass.fused[k];
  }

  Pass<T> inner = pass;
  for (index n = inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    const Node& node = nodes_[n];
    typename State::OfNode& own = my.nodes[n];
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const Out<T>& from = *my.values[node.inputs[j]].port;
      own.in[j] = {from.values, from.ids, from.mask, nullptr};
    }
    inner.fused = own.fused.data();
    inner.training = pass.training || node.training.value_or(false);
    node.layer->forward(inner, state_of(my, n), own.in, own.out);
    const OutputPenalty<T>* const penalty = node.layer->output_penalty();
    if (penalty != nullptr && pass.penalty != nullptr) {
      *pass.penalty += penalty->value(pass.batch, my.values[node.first].count, own.out[0].values);
    }
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const typename State::OfValue& from = my.values[outputs_[k]];
    out[k].mask = from.port->mask;
    if (out[k].values == from.port->values) continue;
    std::memcpy(out[k].values, from.port->values,
                static_cast<std::size_t>(pass.batch * from.count) * sizeof(T));
  }
}

// The ports are as the last pass left them.
template <class T>
void Graph<T>::prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                            StepCalls& calls) const {
  State& my = this->own(state);
  // Masks are handed from node to node in forward() alone.
  const bool masked = std::any_of(my.values.begin(), my.values.end(),
                                  [](const auto& value) { return value.port->mask != nullptr; });
  if (masked) return Layer<T>::prepare_step(pass, state, in, out, calls);
  for (index n = inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    typename State::OfNode& own = my.nodes[n];
    own.pass = pass;
    own.pass.fused = nullptr;
    own.pass.training = pass.training || nodes_[n].training.value_or(false);
    nodes_[n].layer->prepare_step(own.pass, state_of(my, n), own.in, own.out, calls);
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const typename State::OfValue& value = my.values[outputs_[k]];
    const T* const from = value.port->values;
    T* const to = out[k].values;
    if (to == from) continue;
    calls.add([=, count = pass.batch * value.count] { std::copy_n(from, count, to); });
  }
}

template <class T>
void Graph<T>::run_backward(const Pass<T>& pass, State& my, const Ins<T>& in,
                            const Outs<T>& out) const {
  for (std::size_t v = 0; v < my.values.size(); ++v) {
    my.values[v].port->gradient = nullptr;
    my.values[v].gradient = pass.arena->at(my.gradients[v]);
  }
  const auto needed = [&](index value) -> bool& { return my.nodes[values_[value].node].needed; };
  for (index k = 0; k < inputs(); ++k) {
    my.values[k].gradient = in[k].gradient;
    needed(k) = in[k].gradient != nullptr;
  }
  for (index n = inputs(); n < static_cast<index>(nodes_.size()); ++n) {
    const std::vector<index>& values = nodes_[n].inputs;
    my.nodes[n].needed =
        state_of(my, n).learns() || std::any_of(values.begin(), values.end(), needed);
  }
  const auto count = [&](index value) { return pass.batch * my.values[value].count; };
  // Returns whether the gradient of a value has no term yet. It has one from now on.
  const auto begin = [&](index value) {
    T*& gradient = my.values[value].port->gradient;
    return std::exchange(gradient, my.values[value].gradient) == nullptr;
  };
  // Adds a term to the gradient of a value; the first term is copied.
  const auto add = [&](index value, const T* more) {
    T* const gradient = my.values[value].gradient;
    if (begin(value)) {
      std::memcpy(gradient, more, static_cast<std::size_t>(count(value)) * sizeof(T));
    } else {
      ops::add(count(value), gradient, more, gradient);
    }
  };
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const index value = outputs_[k];
    if (out[k].gradient == nullptr || !needed(value)) continue;
    if (value >= inputs() && my.values[value].gradient == nullptr) {  // the caller's, in place
      my.values[value].gradient = out[k].gradient;
      begin(value);
    } else {
      add(value, out[k].gradient);
    }
  }

  Pass<T> inner = pass;
  for (index n = static_cast<index>(nodes_.size()); n-- > inputs();) {
    const Node& node = nodes_[n];
    typename State::OfNode& own = my.nodes[n];
    if (!own.needed) continue;
    if (const OutputPenalty<T>* const penalty = node.layer->output_penalty()) {
      T* const gradient = my.values[node.first].gradient;
      if (begin(node.first)) std::fill_n(gradient, count(node.first), T(0));
      penalty->add_gradient(pass.batch, my.values[node.first].count, own.out[0].values, gradient);
    }
    const bool any = std::any_of(own.out.begin(), own.out.end(),
                                 [](const Out<T>& port) { return port.gradient != nullptr; });
    if (!any) continue;
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const index value = node.inputs[j];
      T*& gradient = own.in[j].gradient;
      gradient = nullptr;
      if (!needed(value) || own.in[j].values == nullptr) continue;
      const std::size_t more = my.values.size() + static_cast<std::size_t>(node.edge) + j;
      gradient = begin(value) ? my.values[value].gradient : pass.arena->at(my.gradients[more]);
    }
    inner.fused = own.fused.data();
    node.layer->backward(inner, state_of(my, n), own.in, own.out);
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const T* const more = own.in[j].gradient;
      if (more != nullptr && more != my.values[node.inputs[j]].gradient) add(node.inputs[j], more);
    }
  }
  // Inputs that received no gradient have zero.
  for (index k = 0; k < inputs(); ++k) {
    if (needed(k) && begin(k)) std::fill_n(in[k].gradient, count(k), T(0));
  }
}

template class Graph<float>;
template class Graph<double>;

}  // namespace lstmfast::layers
