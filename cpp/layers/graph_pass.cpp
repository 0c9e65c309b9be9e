// A graph's passes: the memory of its values, forward in the order of the nodes, backward in
// reverse order.
#include <algorithm>
#include <cstring>

#include "layers/graph.h"
#include "ops/vector.h"

namespace lstmfast::layers {
namespace {

// Of one value in a batch: what layers make of it stays far from overflow.
constexpr index kMostElements = index{1} << 46;

std::size_t at(index i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class T>
struct Graph<T>::State : LayerState {
  // By node; for inputs of the graph null or empty.
  std::vector<std::unique_ptr<LayerState>> nodes;
  std::vector<std::vector<In<T>>> in;
  std::vector<std::vector<Out<T>>> out;
  std::vector<std::vector<unsigned char>> fused;
  std::vector<unsigned char> needed;  // whether the running backward visits it
  // By node and input: a further gradient of a value that has one already, to be added to it.
  std::vector<std::vector<base::Slot<T>>> more;
  // By value.
  std::vector<index> counts;  // elements of one sample
  std::vector<base::Slot<T>> values, gradients;
  std::vector<base::Slot<std::int32_t>> ids;
  std::vector<Out<T>> places;        // its memory in the running pass
  std::vector<unsigned char> begun;  // whether its gradient has a first term
};

template <class T>
std::unique_ptr<LayerState> Graph<T>::new_state(StateBinding<T>& binding) const {
  auto state = std::make_unique<State>();
  for (const Node& node : nodes_) {
    state->nodes.push_back(node.layer == nullptr ? nullptr : node.layer->make_state(binding));
    state->in.emplace_back(node.inputs.size());
    state->out.emplace_back(at(node.count));
    state->fused.emplace_back(at(node.count));
    state->more.emplace_back(node.inputs.size());
  }
  state->needed.resize(nodes_.size());
  state->counts.resize(shapes_.size());
  state->values.resize(shapes_.size());
  state->gradients.resize(shapes_.size());
  state->ids.resize(shapes_.size());
  state->places.resize(shapes_.size());
  state->begun.resize(shapes_.size());
  return state;
}

template <class T>
bool Graph<T>::has_memory(index value) const {
  const Place place = place_of(value);
  if (place.node < inputs_) return false;
  if (std::find(outputs_.begin(), outputs_.end(), value) != outputs_.end()) return false;
  return uses_[at(value)] > 0 || !nodes_[at(place.node)].layer->optional_output(place.output);
}

template <class T>
void Graph<T>::declare(LayerState& state, base::Planner& planner, const Extent& extent) const {
  State& my = static_cast<State&>(state);
  const Shapes shapes = shapes_for(extent.inputs);
  const index count = static_cast<index>(nodes_.size());
  std::vector<index> size(shapes.size()), last(shapes.size(), -1);  // last: node that takes it
  std::vector<bool> own(shapes.size());
  for (index v = 0; v < values(); ++v) {
    my.counts[at(v)] = shapes[at(v)].count();
    if (extent.batch > kMostElements / std::max<index>(1, my.counts[at(v)])) {
      throw base::OutOfMemory(base::OutOfMemory::kUncountable);
    }
    size[at(v)] = extent.batch * my.counts[at(v)];
    own[at(v)] = has_memory(v);
  }
  for (index n = inputs_; n < count; ++n) {
    const Node& node = nodes_[at(n)];
    for (const index value : node.inputs) last[at(value)] = n;
    node.layer->declare(*my.nodes[at(n)], planner,
                        {inputs_of(node, shapes), extent.batch, extent.training});
  }

  // Values. Backward reads all of them; in inference a slot is free after the last node that takes
  // the value.
  SlotPool numbers, whole_numbers;
  std::vector<index> number_slot(shapes.size(), -1), id_slot(shapes.size(), -1);
  const auto give_back = [&](index v) {
    if (extent.training) return;
    if (number_slot[at(v)] >= 0) numbers.give(number_slot[at(v)]);
    if (id_slot[at(v)] >= 0) whole_numbers.give(id_slot[at(v)]);
  };
  for (index n = inputs_; n < count; ++n) {
    const Node& node = nodes_[at(n)];
    for (index v = node.first; v < node.first + node.count; ++v) {
      const bool first = v == node.first;
      if (own[at(v)] && (!first || (carried_elements_[at(v)] & kValues) != 0)) {
        number_slot[at(v)] = numbers.take(size[at(v)]);
      }
      if (first && (carried_elements_[at(v)] & kIds) != 0) {
        id_slot[at(v)] = whole_numbers.take(size[at(v)]);
      }
    }
    for (index v = 0; v < node.first + node.count; ++v) {
      const bool ends = v < node.first ? last[at(v)] == n : last[at(v)] < 0;
      if (ends) give_back(v);
    }
  }
  const auto assign = [](const auto& memory, const std::vector<index>& slots, auto& to) {
    for (std::size_t v = 0; v < slots.size(); ++v) {
      to[v] = {};
      if (slots[v] >= 0) to[v] = memory[at(slots[v])];
    }
  };
  assign(numbers.template plan<T>(planner), number_slot, my.values);
  assign(whole_numbers.template plan<std::int32_t>(planner), id_slot, my.ids);

  // Gradients, from the last node to the first: a value's gradient is live from the last node that
  // takes the value to the node that computes it. Gradients of the graph's inputs and outputs are
  // the caller's, except those of outputs to which further gradients are added.
  if (!extent.training) return;
  SlotPool gradients;
  std::vector<index> gradient_slot(shapes.size(), -1);
  std::vector<std::vector<index>> more_slot(nodes_.size());
  std::vector<bool> taken(shapes.size());
  for (const index v : outputs_) {
    const Place place = place_of(v);
    const bool more = uses_[at(v)] > 0 ||
                      (place.node >= inputs_ && nodes_[at(place.node)].layer->output_penalty());
    if (!taken[at(v)] && more && place.node >= inputs_) {
      gradient_slot[at(v)] = gradients.take(size[at(v)]);
    }
    taken[at(v)] = true;
  }
  for (index n = count; n-- > inputs_;) {
    const Node& node = nodes_[at(n)];
    if (node.layer->output_penalty() != nullptr && !taken[at(node.first)]) {
      gradient_slot[at(node.first)] = gradients.take(size[at(node.first)]);
    }
    more_slot[at(n)].assign(node.inputs.size(), -1);
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const index v = node.inputs[j];
      if (taken[at(v)]) {
        more_slot[at(n)][j] = gradients.take(size[at(v)]);
      } else if (place_of(v).node >= inputs_) {
        gradient_slot[at(v)] = gradients.take(size[at(v)]);
      }
      taken[at(v)] = true;
    }
    for (const index slot : more_slot[at(n)]) {
      if (slot >= 0) gradients.give(slot);
    }
    for (index v = node.first; v < node.first + node.count; ++v) {
      if (gradient_slot[at(v)] >= 0) gradients.give(gradient_slot[at(v)]);
    }
  }
  const std::vector<base::Slot<T>> memory = gradients.template plan<T>(planner);
  assign(memory, gradient_slot, my.gradients);
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    if (!more_slot[n].empty()) assign(memory, more_slot[n], my.more[n]);
  }
}

// Sets the memory of each value for this pass, and which activations are left out.
template <class T>
void Graph<T>::resolve(const Pass<T>& pass, State& my, const std::vector<In<T>>& in,
                       const std::vector<Out<T>>& out) const {
  for (index k = 0; k < inputs_; ++k) {
    const In<T>& given = in[at(k)];
    // inputs are only read
    my.places[at(k)] = {const_cast<T*>(given.values), const_cast<std::int32_t*>(given.ids),
                        given.mask, nullptr};
  }
  for (std::size_t v = at(inputs_); v < my.places.size(); ++v) {
    my.places[v] = {pass.arena->at(my.values[v]), pass.arena->at(my.ids[v]), nullptr, nullptr};
  }
  for (std::size_t k = outputs_.size(); k-- > 0;) {  // a value that is two outputs: in the first
    if (outputs_[k] >= inputs_) my.places[at(outputs_[k])].values = out[k].values;
  }
  for (auto& flags : my.fused) std::fill(flags.begin(), flags.end(), static_cast<unsigned char>(0));
  for (std::size_t k = 0; pass.fused != nullptr && k < outputs_.size(); ++k) {
    const Place place = place_of(outputs_[k]);
    my.fused[at(place.node)][at(place.output)] = pass.fused[k];
  }
}

template <class T>
void Graph<T>::forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                       std::vector<Out<T>>& out) const {
  State& my = static_cast<State&>(state);
  resolve(pass, my, in, out);
  Pass<T> inner = pass;
  for (std::size_t n = at(inputs_); n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const Out<T>& from = my.places[at(node.inputs[j])];
      my.in[n][j] = {from.values, from.ids, from.mask, nullptr};
    }
    Out<T>* const places = &my.places[at(node.first)];
    std::copy_n(places, node.count, my.out[n].begin());
    inner.fused = my.fused[n].data();
    node.layer->forward(inner, *my.nodes[n], my.in[n], my.out[n]);
    std::copy_n(my.out[n].begin(), node.count, places);
    const OutputPenalty<T>* const penalty = node.layer->output_penalty();
    if (penalty != nullptr && pass.penalty != nullptr) {
      *pass.penalty += penalty->value(pass.batch, my.counts[at(node.first)], places->values);
    }
  }
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Out<T>& from = my.places[at(outputs_[k])];
    out[k].mask = from.mask;
    if (out[k].values == from.values) continue;
    std::memcpy(out[k].values, from.values,
                at(pass.batch * my.counts[at(outputs_[k])]) * sizeof(T));
  }
}

template <class T>
bool Graph<T>::learns(const LayerState& state) const {
  const State& my = static_cast<const State&>(state);
  for (std::size_t n = at(inputs_); n < nodes_.size(); ++n) {
    if (nodes_[n].layer->learns(*my.nodes[n])) return true;
  }
  return false;
}

template <class T>
void Graph<T>::backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                        const std::vector<Out<T>>& out) const {
  State& my = static_cast<State&>(state);
  for (std::size_t v = 0; v < my.places.size(); ++v) {
    my.places[v].gradient = pass.arena->at(my.gradients[v]);
    my.begun[v] = 0;
  }
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = nodes_[n];
    if (node.layer == nullptr) {
      my.places[n].gradient = in[n].gradient;
      my.needed[n] = in[n].gradient != nullptr;
      continue;
    }
    my.needed[n] = node.layer->learns(*my.nodes[n]);
    for (const index value : node.inputs) my.needed[n] |= my.needed[at(place_of(value).node)];
  }
  const auto count = [&](index value) { return pass.batch * my.counts[at(value)]; };
  // Adds a term to the gradient of a value; the first term is copied.
  const auto add = [&](index value, const T* more) {
    Out<T>& place = my.places[at(value)];
    if (std::exchange(my.begun[at(value)], static_cast<unsigned char>(1)) == 0) {
      std::memcpy(place.gradient, more, at(count(value)) * sizeof(T));
    } else {
      ops::add(count(value), static_cast<const T*>(place.gradient), more, place.gradient);
    }
  };
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    Out<T>& place = my.places[at(outputs_[k])];
    if (out[k].gradient == nullptr || my.needed[at(place_of(outputs_[k]).node)] == 0) continue;
    if (outputs_[k] >= inputs_ && place.gradient == nullptr) {  // the caller's, in place
      place.gradient = out[k].gradient;
      my.begun[at(outputs_[k])] = 1;
    } else {
      add(outputs_[k], out[k].gradient);
    }
  }

  Pass<T> inner = pass;
  for (std::size_t n = nodes_.size(); n-- > at(inputs_);) {
    if (my.needed[n] == 0) continue;
    const Node& node = nodes_[n];
    if (const OutputPenalty<T>* const penalty = node.layer->output_penalty()) {
      Out<T>& place = my.places[at(node.first)];
      if (std::exchange(my.begun[at(node.first)], static_cast<unsigned char>(1)) == 0) {
        std::fill_n(place.gradient, count(node.first), T(0));
      }
      penalty->add_gradient(pass.batch, my.counts[at(node.first)], place.values, place.gradient);
    }
    bool any = false;
    for (index o = 0; o < node.count; ++o) {
      const bool begun = my.begun[at(node.first + o)] != 0;
      my.out[n][at(o)].gradient = begun ? my.places[at(node.first + o)].gradient : nullptr;
      any |= begun;
    }
    if (!any) continue;
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const index value = node.inputs[j];
      T*& gradient = my.in[n][j].gradient;
      gradient = nullptr;
      if (my.needed[at(place_of(value).node)] == 0 || my.in[n][j].values == nullptr) continue;
      const bool first = std::exchange(my.begun[at(value)], static_cast<unsigned char>(1)) == 0;
      gradient = first ? my.places[at(value)].gradient : pass.arena->at(my.more[n][j]);
    }
    inner.fused = my.fused[n].data();
    node.layer->backward(inner, *my.nodes[n], my.in[n], my.out[n]);
    for (std::size_t j = 0; j < node.inputs.size(); ++j) {
      const T* const more = my.in[n][j].gradient;
      if (more != nullptr && more != my.places[at(node.inputs[j])].gradient) {
        add(node.inputs[j], more);
      }
    }
  }
  // Inputs that received no gradient have zero.
  for (std::size_t k = 0; k < at(inputs_); ++k) {
    if (my.needed[k] != 0 && my.begun[k] == 0) {
      std::fill_n(in[k].gradient, count(static_cast<index>(k)), T(0));
    }
  }
}

template class Graph<float>;
template class Graph<double>;

}  // namespace lstmfast::layers
