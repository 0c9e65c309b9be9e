#include "layers/chain.h"

#include <algorithm>

#include "base/check.h"

namespace lstmfast::layers {
namespace {

template <class T>
struct ChainState : LayerState {
  std::vector<std::unique_ptr<LayerState>> states;
  std::vector<base::Slot<T>> outputs;   // of all layers but the last
  base::Slot<T> gradients[2];           // for the outputs, taken in turn from the end
  const unsigned char* mask = nullptr;  // of the last output
};

template <class T>
ChainState<T>& own(LayerState& state) {
  return static_cast<ChainState<T>&>(state);
}

}  // namespace

template <class T>
void Chain<T>::declare_parameters(const Shape& input, Declaration& declaration) {
  LF_CHECK(!layers_.empty(), "[model.config] there are no layers; expected at least one");
  const std::string path = declaration.path();
  Shape shape = input;
  first_trained_ = size();
  for (index i = 0; i < size(); ++i) {
    Layer<T>& layer = *layers_[static_cast<std::size_t>(i)];
    declaration.set_path((path.empty() ? "" : path + ".") + "layers." + std::to_string(i));
    layer.declare_parameters(shape, declaration);
    shape = layer.output_shape(shape);
    if (layer.has_parameters()) first_trained_ = std::min(first_trained_, i);
  }
  declaration.set_path(path);
}

template <class T>
Shape Chain<T>::output_shape(const Shape& input) const {
  Shape shape = input;
  for (const auto& layer : layers_) shape = layer->output_shape(shape);
  return shape;
}

template <class T>
std::vector<index> Chain<T>::carried() const {
  std::vector<index> sizes;
  for (const auto& layer : layers_) {
    if (!layer->stateful()) continue;
    const std::vector<index> of_layer = layer->carried();
    sizes.insert(sizes.end(), of_layer.begin(), of_layer.end());
  }
  return sizes;
}

template <class T>
bool Chain<T>::stateful() const {
  return std::any_of(layers_.begin(), layers_.end(), [](const auto& l) { return l->stateful(); });
}

template <class T>
index Chain<T>::carried_before(index i) const {
  index count = 0;
  for (index j = 0; j < i; ++j) {
    if (!layer(j).stateful()) continue;
    for (const index size : layer(j).carried()) count += size;
  }
  return count;
}

template <class T>
bool Chain<T>::masks(bool masked) const {
  for (const auto& layer : layers_) masked = layer->masks(masked);
  return masked;
}

template <class T>
const unsigned char* Chain<T>::mask_out(const Pass<T>&, const LayerState& state) const {
  return static_cast<const ChainState<T>&>(state).mask;
}

template <class T>
Activation Chain<T>::last_activation() const {
  return layers_.back()->last_activation();
}

template <class T>
double Chain<T>::flops(const Shape& input) const {
  double sum = 0;
  Shape shape = input;
  for (const auto& layer : layers_) {
    sum += layer->flops(shape);
    shape = layer->output_shape(shape);
  }
  return sum;
}

template <class T>
std::unique_ptr<LayerState> Chain<T>::make_state() const {
  auto state = std::make_unique<ChainState<T>>();
  for (const auto& layer : layers_) state->states.push_back(layer->make_state());
  state->outputs.resize(layers_.size() - 1);
  return state;
}

template <class T>
void Chain<T>::declare(LayerState& state, base::Planner& planner, const Extent& extent) const {
  ChainState<T>& my = own<T>(state);
  Shape shape = extent.input;
  index largest = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i]->declare(*my.states[i], planner, {shape, extent.batch, extent.training});
    shape = layers_[i]->output_shape(shape);
    if (i + 1 == layers_.size()) break;
    const index count = extent.batch * shape.count();
    largest = std::max(largest, count);
    // Backward reads every output; inference needs no more than the last two.
    if (extent.training) my.outputs[i] = planner.add<T>(count);
  }
  const int turns = extent.training || my.outputs.size() > 1 ? 2 : 1;
  for (int i = 0; i < turns; ++i) my.gradients[i] = planner.add<T>(largest);
  if (extent.training) return;
  for (std::size_t i = 0; i < my.outputs.size(); ++i) my.outputs[i] = my.gradients[i % 2];
}

template <class T>
void Chain<T>::forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const {
  ChainState<T>& my = own<T>(state);
  Pass<T> inner = pass;
  inner.cells = nullptr;
  const std::size_t last = layers_.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    T* const out = i < last ? pass.arena->at(my.outputs[i]) : y;
    const bool carries = pass.carried != nullptr && layers_[i]->stateful();
    inner.carried =
        carries ? pass.carried + carried_before(static_cast<index>(i)) * pass.batch : nullptr;
    inner.pre_activation = i == last && pass.pre_activation;
    layers_[i]->forward(inner, *my.states[i], x, out);
    inner.mask = layers_[i]->mask_out(inner, *my.states[i]);
    x = out;
  }
  my.mask = inner.mask;
}

template <class T>
void Chain<T>::backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                        T* dx) const {
  ChainState<T>& my = own<T>(state);
  const std::size_t last = layers_.size() - 1;
  const std::size_t first = dx != nullptr ? 0 : static_cast<std::size_t>(first_trained_);
  Pass<T> inner = pass;
  for (std::size_t i = last + 1; i-- > first;) {
    const T* const input = i == 0 ? x : pass.arena->at(my.outputs[i - 1]);
    T* const out = i > first ? pass.arena->at(my.gradients[i % 2]) : i == 0 ? dx : nullptr;
    layers_[i]->backward(inner, *my.states[i], input, y, dy, out);
    inner.pre_activation = false;
    y = input;
    dy = out;
  }
}

template class Chain<float>;
template class Chain<double>;

}  // namespace lstmfast::layers
