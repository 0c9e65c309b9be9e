// The contract of every layer: ports, shapes, parameters, forward and backward. Knows no model, no
// loss and no training loop.
//
// A layer is fixed once its parameters are declared and may serve any number of passes at a time:
// all that a pass writes lives in its ports, its arena and the LayerState made for it. Only what a
// stateful layer carries belongs to the layer itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/options.h"
#include "base/plain.h"
#include "base/registry.h"
#include "layers/carried.h"
#include "layers/checks.h"
#include "layers/parameters.h"
#include "layers/shape.h"
#include "layers/touched_rows.h"

namespace lstmfast::layers {

// Kinds of random streams, so that one layer can draw several masks.
enum class RandomKind : std::uint32_t { dropout };

// The elements a port carries: numbers of the model's type, whole numbers (ids), or both. A bit
// set.
using Elements = unsigned;
constexpr Elements kValues = 1, kIds = 2;

// One input of a layer in a pass. Arrays are [batch][shape], contiguous.
template <class T>
struct In {
  const T* values = nullptr;            // null: not connected, or the port carries ids alone
  const std::int32_t* ids = nullptr;    // null: the port carries values alone
  const unsigned char* mask = nullptr;  // [batch][rows], 1: real; null: all rows are
  T* gradient = nullptr;                // written by backward; null: not wanted
};

// One output of a layer in a pass. Its memory overlaps no other port's.
template <class T>
struct Out {
  T* values = nullptr;  // null: not wanted (of optional outputs), or the port carries ids alone
  std::int32_t* ids = nullptr;
  const unsigned char* mask = nullptr;  // set by forward
  T* gradient = nullptr;                // read by backward, which may overwrite it; null: zero
};

// One run over a batch, shared by all layers.
template <class T>
struct Pass {
  T* gradients = nullptr;          // flat block of a compiled model, +=; null in inference
  TouchedRows* touched = nullptr;  // of the sparse Parameters, by LayerState::sparse
  base::Arena* arena = nullptr;    // holds the slots that the layers declared
  index batch = 0;                 // at most the declared one
  double* penalty = nullptr;       // += the penalties on outputs; null: not wanted
  bool training = false;
  bool carries = false;  // stateful layers continue from what they carry; else from zeros
  // By output; 1: forward leaves out last_activation(), which the loss computes; null: all 0.
  const unsigned char* fused = nullptr;
  std::uint64_t seed = 0;  // of random masks
  std::uint64_t step = 0;  // the optimizer step that the masks belong to

  // Whether forward leaves out the last activation of output 0.
  bool is_fused() const { return fused != nullptr && fused[0] != 0; }
};

// A layer's slots and caches in one pass memory.
class LayerState {
 public:
  virtual ~LayerState() = default;

  index gradient = -1;       // where its gradients begin in Pass::gradients; -1: it is not trained
  index sparse = -1;         // its number in Pass::touched; -1: its gradients are dense
  std::uint32_t stream = 0;  // of random numbers
};

// Shared by the states of one pass memory while they are made: assigns each its place in the
// gradients and its stream of random numbers.
template <class T>
class StateBinding {
 public:
  explicit StateBinding(const GradientLayout<T>* layout) : layout_(layout) {}
  void bind(const Parameters<T>& parameters, LayerState& state) const {
    const auto* const entry = layout_ == nullptr ? nullptr : layout_->find(parameters);
    state.gradient = entry == nullptr ? -1 : entry->offset;
    state.sparse = entry == nullptr ? -1 : entry->sparse;
  }
  std::uint32_t next_stream() { return streams_++; }  // unique within the pass memory

 private:
  const GradientLayout<T>* layout_;  // null: passes compute no gradients
  std::uint32_t streams_ = 0;
};

// The largest pass that memory is planned for.
struct Extent {
  Shapes inputs;          // of the layer, without kAnySize
  index batch = 0;        // the largest
  bool training = false;  // forward keeps what backward needs
};

// A penalty on the outputs of a layer. The model supplies it, the graph applies it.
template <class T>
class OutputPenalty {
 public:
  virtual ~OutputPenalty() = default;
  // The penalty of y [batch][count], a mean over the batch; add_gradient adds its gradient to dy.
  virtual double value(index batch, index count, const T* y) const = 0;
  virtual void add_gradient(index batch, index count, const T* y, T* dy) const = 0;
};

template <class T>
class Layer;

// Calls f(path, layer) for a layer and all layers in it, outermost first.
template <class T, class F>
void for_each_layer(Layer<T>& layer, const std::string& path, F&& f);

template <class T>
class Layer : public std::enable_shared_from_this<Layer<T>> {
 public:
  // A layer inside another one; `name` is its part of the paths of parameters.
  struct Child {
    std::string name;
    Layer* layer;
  };

  virtual ~Layer() = default;

  // ---- Ports and shapes ----

  virtual index least_inputs() const { return 1; }
  virtual index most_inputs() const { return least_inputs(); }
  // The elements that input `input` must carry so that the layer's output can carry `wanted`.
  virtual Elements input_elements(index input, Elements wanted) const {
    static_cast<void>(input), static_cast<void>(wanted);
    return kValues;
  }
  // The elements that the output can carry. Ids come from inputs of a graph, and pass through
  // layers that move elements without reading them.
  virtual Elements output_elements() const { return kValues; }
  // Exclusive upper bound of the ids of an input; 0: the layer itself sets none.
  virtual index id_limit(index input) const {
    static_cast<void>(input);
    return 0;
  }
  // Layers that a pass runs: in a graph, those of all its nodes.
  virtual index runs() const { return 1; }
  // Whether a pass may leave out an output.
  virtual bool optional_output(index output) const {
    static_cast<void>(output);
    return false;
  }

  // The shapes of the outputs for inputs of these shapes, which may have kAnySize. The first call
  // declares the parameters for them. Throws std::invalid_argument, with nothing changed, for
  // inputs that the layer cannot take.
  Shapes connect(const Shapes& inputs) {
    if (built_) return output_shapes(inputs);
    std::vector<Layer*> fresh;  // of this one and those inside
    for_each_layer(*this, "", [&](const std::string&, Layer& each) {
      if (!each.built_) fresh.push_back(&each);
    });
    try {
      declare_parameters(inputs);
      built_ = true;
      const Shapes outputs = output_shapes(inputs);
      for (const Shape& shape : outputs) static_cast<void>(shape.count());
      return outputs;
    } catch (...) {
      for (Layer* const layer : fresh) {
        layer->parameters_.clear();
        layer->built_ = false;
      }
      throw;
    }
  }
  bool built() const { return built_; }

  // As connect(), for a layer whose parameters are declared.
  virtual Shapes output_shapes(const Shapes& inputs) const = 0;

  // ---- Parts ----

  // The layer's options, with "kind" and "name", without those of layers inside it. A container may
  // add keys to the given ones.
  const base::Options& config() const { return config_; }
  void set_config(base::Options config) { config_ = std::move(config); }
  std::string kind() const { return text_of("kind"); }
  std::string name() const { return text_of("name"); }

  // The layer's own parameters, not those of layers inside it.
  Parameters<T>& parameters() { return parameters_; }
  const Parameters<T>& parameters() const { return parameters_; }
  virtual std::vector<Child> children() { return {}; }

  // Sizes of the states that a row can carry from pass to pass: h and c of each direction, in turn.
  // The states are also inputs 1, 2, ... and outputs 1, 2, ... of the layer.
  virtual std::vector<index> state_sizes() const { return {}; }
  // Null: the layer is not stateful.
  CarriedState<T>* carried() const { return carried_.get(); }
  // Called by a layer around this one that carries the state instead.
  void set_stateless() { carried_ = nullptr; }

  // Set once, before the first pass; null: no penalty.
  void set_output_penalty(std::shared_ptr<const OutputPenalty<T>> penalty) {
    penalty_ = std::move(penalty);
  }
  const OutputPenalty<T>* output_penalty() const { return penalty_.get(); }

  // ---- Masks ----

  // Whether output 0 has a mask, given which inputs have one.
  virtual bool masks(const std::vector<bool>& masked) const { return masked[0]; }
  // The same for any output.
  virtual bool masks_output(index output, const std::vector<bool>& masked) const {
    return output == 0 && masks(masked);
  }
  // Whether the layer drops the masks of its inputs; Python warns users of that.
  virtual bool drops_masks() const { return false; }

  // ---- Passes ----

  // The element-wise (or softmax) end of forward that Pass::fused can leave out.
  virtual Activation last_activation(index output) const {
    static_cast<void>(output);
    return Activation::linear;
  }

  // Floating-point operations of forward for one sample, roughly: for choices of plan, not for
  // reports.
  virtual double flops(const Shapes& inputs) const {
    return static_cast<double>(inputs[0].count());
  }

  // A state for passes of one pass memory.
  std::unique_ptr<LayerState> make_state(StateBinding<T>& binding) const {
    std::unique_ptr<LayerState> state = new_state(binding);
    binding.bind(parameters_, *state);
    if (is_random()) state->stream = binding.next_stream();
    return state;
  }

  // Declares the memory of a pass to `planner`. Called again when the extent changes.
  virtual void declare(LayerState& state, base::Planner& planner, const Extent& extent) const = 0;

  // `in` and `out` have as many ports as the layer has inputs (those that are connected) and
  // outputs. Sets the masks of the outputs; a mask lives in the pass's arena, or is an input's.
  virtual void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                       std::vector<Out<T>>& out) const = 0;

  // Requires a training forward with the same pass, state and ports, all unchanged since. Adds the
  // gradients of parameters to pass.gradients. At least one output has a gradient.
  virtual void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                        const std::vector<Out<T>>& out) const = 0;

  // Whether backward computes gradients of parameters, the layer's own or those inside it.
  virtual bool learns(const LayerState& state) const { return gradients(state) >= 0; }

 protected:
  // Called once. Throws std::invalid_argument for inputs that the layer cannot take.
  virtual void declare_parameters(const Shapes& inputs) { static_cast<void>(inputs); }

  // Containers also make the states of the layers inside them.
  virtual std::unique_ptr<LayerState> new_state(StateBinding<T>&) const {
    return std::make_unique<LayerState>();
  }
  // Whether the layer draws random numbers in training, from the state's stream.
  virtual bool is_random() const { return false; }

  void make_stateful(std::vector<index> sizes) {
    carried_ = std::make_unique<CarriedState<T>>(std::move(sizes));
  }

  const T* values() const { return parameters_.values(); }
  // The layer's part of pass.gradients; null: the layer is not trained, or is frozen.
  T* gradients(const Pass<T>& pass, const LayerState& state) const {
    const index at = gradients(state);
    return pass.gradients == nullptr || at < 0 ? nullptr : pass.gradients + at;
  }

  Parameters<T> parameters_;

 private:
  index gradients(const LayerState& state) const {
    return parameters_.trainable() ? state.gradient : -1;
  }

  std::string text_of(const char* key) const {
    const auto at = config_.find(key);
    return at == config_.end() ? "" : at->second.text();
  }

  base::Options config_;
  bool built_ = false;
  std::unique_ptr<CarriedState<T>> carried_;
  std::shared_ptr<const OutputPenalty<T>> penalty_;
};

// A layer whose states are of type State.
template <class T, class State>
class LayerWith : public Layer<T> {
 protected:
  std::unique_ptr<LayerState> new_state(StateBinding<T>&) const override {
    return std::make_unique<State>();
  }
};

template <class T, class F>
void for_each_layer(Layer<T>& layer, const std::string& path, F&& f) {
  f(path, layer);
  for (const typename Layer<T>::Child& child : layer.children()) {
    for_each_layer(*child.layer, path.empty() ? child.name : path + "." + child.name, f);
  }
}

// The configuration of a layer and all layers in it, from which make_layer makes an equal one.
template <class T>
base::Options whole_config(Layer<T>& layer) {
  base::Options out;
  for_each_layer(layer, "", [&](const std::string& path, Layer<T>& each) {
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const auto& [key, value] : each.config()) out[prefix + key] = value;
    const bool frozen = !each.parameters().list().empty() && !each.parameters().trainable();
    if (frozen) out[prefix + "trainable"] = false;
  });
  return out;
}

// The layers inside another one, by name of Layer::Child. Each points to a Layer<T>, with the same
// T for all.
using Children = std::map<std::string, std::shared_ptr<void>>;

// The registry of all kinds in layers.def.
const base::Registry<Layer, const Children&>& registry();

// Makes the layer that the key "kind" names, with the options of its table. Layers inside it come
// from `children`; one that is missing there is made from the configuration's part below its name.
// Throws std::invalid_argument that names a missing or wrong key, or lists the known kinds.
template <class T>
std::shared_ptr<Layer<T>> make_layer(const base::OptionReader& config,
                                     const Children& children = {});

// The layer inside another one under `name`: that of `children`, else made from the part `name`.
template <class T>
std::shared_ptr<Layer<T>> child(const base::OptionReader& config, const std::string& name,
                                const Children& children);

// Sets the configurations of a layer and of the layers in it that have none yet. Called after all
// of their options were read.
template <class T>
void keep_configs(Layer<T>& layer, const base::OptionReader& config);

}  // namespace lstmfast::layers
