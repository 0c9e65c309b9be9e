// The contract of every layer: ports, shapes, parameters, forward and backward. Knows no model, no
// loss and no training loop.
//
// A layer is fixed once its parameters are declared and may serve any number of passes at a time:
// all that a pass writes lives in its ports, its arena, the LayerState made for it, and the
// gradients that this names. Only what a stateful layer carries belongs to the layer itself.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "base/registry.h"
#include "layers/carried.h"
#include "layers/checks.h"
#include "layers/parameters.h"
#include "layers/ports.h"
#include "layers/shape.h"

namespace lstmfast::layers {

// A layer's slots and caches in one pass memory.
class LayerState {
 public:
  virtual ~LayerState() = default;

  // Whether backward computes gradients of parameters, the layer's own or those inside it.
  bool learns() const {
    return learns_itself() || std::any_of(inner.begin(), inner.end(),
                                          [](const auto& state) { return state->learns(); });
  }
  bool learns_itself() const {
    return gradients != nullptr && gradients->trainable->load(std::memory_order_relaxed);
  }

  // Takes what the last training forward has measured into the statistics among the parameters.
  // Called once after each training step that succeeded.
  virtual void update_statistics() {
    for (const auto& state : inner) state->update_statistics();
  }

  Shapes shapes;  // of the inputs that memory was last declared for
  std::vector<std::unique_ptr<LayerState>> inner;  // of Layer::running()
  const GradientBlock* gradients = nullptr;        // in Pass::gradients; null: there are none
  std::uint32_t stream = 0;                        // of random numbers
  bool fixed = false;                              // nothing is drawn or measured, in training too
};

// What a value of a graph is to a pass that continues a sequence by some of its steps.
enum class Along {
  fixed,   // the same in all passes
  latest,  // of all steps so far, as the last h of a recurrent layer
  steps,   // its first axis has the pass's steps
};
using Alongs = std::vector<Along>;

// What a prepared step does, in turn. In small models each instruction around a kernel counts.
class StepCalls {
 public:
  bool may_share = false;  // whether one of them may use other threads

  bool empty() const { return calls_.empty(); }
  void run() const {
    for (const Call& call : calls_) call.run(call.f.get());
  }
  void clear() {
    calls_.clear();
    may_share = false;
  }
  template <class F>
  void add(F f) {
    calls_.push_back({[](void* made) { (*static_cast<F*>(made))(); }, std::make_shared<F>(f)});
  }
  void append(const StepCalls& more) {
    calls_.insert(calls_.end(), more.calls_.begin(), more.calls_.end());
    may_share = may_share || more.may_share;
  }

 private:
  struct Call {
    void (*run)(void* f);
    std::shared_ptr<void> f;
  };
  std::vector<Call> calls_;
};

// The largest pass that memory is planned for.
struct Extent {
  Shapes inputs;          // of the layer, without kAnySize
  index batch = 0;        // the largest
  bool training = false;  // forward keeps what backward needs
  index steps = 1;        // of Pass, the largest
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

// The layers inside another one, by name of Layer::Child. Each points to a Layer<T>, with the same
// T for all.
using Children = std::map<std::string, std::shared_ptr<void>>;

template <class T>
class Layer : public std::enable_shared_from_this<Layer<T>> {
 public:
  // A layer inside another one; `name` is its part of the paths of parameters.
  struct Child {
    std::string name;
    std::shared_ptr<Layer> layer;
  };

  virtual ~Layer() = default;

  // Makes the layer that the key "kind" names, with the options of its table. Layers inside it come
  // from `children`; one that is missing there is made from the configuration's part below its
  // name. Throws std::invalid_argument that names a missing or wrong key, or lists the known kinds.
  static std::shared_ptr<Layer> make(const base::OptionReader& config,
                                     const Children& children = {});

  // ---- Ports and shapes ----

  virtual InputCount input_count() const { return {}; }
  // The elements that an input must carry so that the layer's output can carry `wanted`.
  virtual Elements input_elements(index /*input*/, Elements /*wanted*/) const { return {}; }
  // Whether the layer moves elements without reading them: its output carries ids if its input
  // does.
  virtual bool moves_ids() const { return false; }
  // Layers that a pass runs: in a graph, those of all its nodes.
  virtual index runs() const { return 1; }
  // Whether a layer in it always does as in training.
  virtual bool draws() const {
    return std::any_of(children_.begin(), children_.end(),
                       [](const Child& child) { return child.layer->draws(); });
  }
  // Whether a pass may leave out an output.
  virtual bool optional_output(index /*output*/) const { return false; }

  // The shapes of the outputs for inputs of these shapes, which may have kAnySize. The first call
  // declares the parameters for them. Throws std::invalid_argument, with nothing changed, for
  // inputs that the layer cannot take.
  Shapes connect(const Shapes& inputs);
  bool built() const { return built_; }

  // As connect(), without the parameters, for inputs of the right number.
  virtual Shapes output_shapes(const Shapes& inputs) const = 0;

  // ---- Parts ----

  // The layer's options, with "kind" and "name", without those of layers inside it. A container may
  // add keys to the given ones.
  const base::Options& config() const { return config_; }
  void set_config(base::Options config) { config_ = std::move(config); }
  // Sets the configurations of this layer and of the layers in it that know no more of it than
  // their kind. Called after all of their options were read.
  void keep_configs(const base::OptionReader& config);
  // The configuration of this layer and all layers in it, from which make() makes an equal one.
  base::Options whole_config();
  std::string kind() const { return text_of("kind"); }
  std::string name() const { return text_of("name"); }

  // The layer's own parameters, not those of layers inside it.
  Parameters<T>& parameters() { return parameters_; }
  const Parameters<T>& parameters() const { return parameters_; }
  const std::vector<Child>& children() const { return children_; }

  // Whether its kernels can be in reduced precision.
  virtual bool reduces() const { return false; }
  // That of its own kernels.
  Precision precision() const { return precision_; }

  // Axes of the parameter "bias", as it will be declared.
  virtual std::size_t bias_rank() const { return 1; }

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

  // Whether an output has a mask, given which inputs have one.
  virtual bool masks(index output, const std::vector<bool>& masked) const {
    return output == 0 && masked[0];
  }
  // Whether the layer takes ids with a mask, which has a place for each id.
  virtual bool takes_masked_ids() const { return false; }
  // Whether the layer drops the masks of its inputs; Python warns users of that.
  virtual bool drops_masks() const { return false; }

  // ---- Steps ----

  // Whether a step of the output follows from that step of the inputs alone, for inputs of these
  // shapes whose first axis are steps.
  virtual bool keeps_steps(const Shapes& /*inputs*/) const { return false; }
  // Makes `state` one of passes of one step each, which continue a sequence, and adds what it
  // carries from pass to pass to `carried`. Returns what the outputs are, for inputs of these
  // shapes, which may have kAnySize. Throws std::invalid_argument for a layer that needs the whole
  // sequence.
  virtual Alongs begin_steps(LayerState& state, const Shapes& shapes, const Alongs& inputs,
                             std::vector<CarriedState<T>*>& carried) const;
  // Adds what forward() of such a pass does to `calls`, for passes with these very arguments, and
  // with the arrays that the ports have now. All must outlive the calls. Requires that no row
  // begins and no port has a mask.
  virtual void prepare_step(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out,
                            StepCalls& calls) const {
    calls.add([this, &pass, &state, &in, &out] { forward(pass, state, in, out); });
    calls.may_share = true;
  }

  // ---- Passes ----

  // The element-wise (or softmax) end of forward that Pass::fused can leave out.
  virtual Activation last_activation(index /*output*/) const { return Activation::linear; }

  // Floating-point operations of forward for one sample, roughly: for choices of plan, not for
  // reports.
  virtual double flops(const Shapes& inputs) const {
    double sum = 0;
    for (const Shape& output : output_shapes(inputs)) sum += static_cast<double>(output.count());
    return sum;
  }

  // A state for passes of one pass memory; layout null: passes compute no gradients.
  std::unique_ptr<LayerState> make_state(const GradientLayout<T>* layout) const {
    std::uint32_t streams = 0;  // of random numbers, in use so far
    return make_state(layout, streams, false);
  }

  // Declares the memory of a pass to `planner`. Called again when the extent changes.
  virtual void declare(LayerState& state, base::Planner& planner, const Extent& extent) const = 0;

  // `in` and `out` have as many ports as the layer has inputs (those that are connected) and
  // outputs. Sets the masks of the outputs; a mask lives in the pass's arena, or is an input's.
  virtual void forward(const Pass<T>& pass, LayerState& state, const Ins<T>& in,
                       Outs<T>& out) const = 0;

  // Requires a training forward with the same pass, state and ports, all unchanged since. Adds the
  // gradients of parameters to gradients(). At least one output has a gradient.
  virtual void backward(const Pass<T>& pass, LayerState& state, const Ins<T>& in,
                        const Outs<T>& out) const = 0;

 protected:
  // Called once, for inputs that output_shapes() takes.
  virtual void declare_parameters(const Shapes& /*inputs*/) {}

  // The layers inside that a pass runs, in turn.
  virtual std::vector<const Layer*> running() const {
    std::vector<const Layer*> out;
    for (const Child& child : children_) out.push_back(child.layer.get());
    return out;
  }
  // Whether one of these always does as in training, or never; none: as the pass does.
  virtual std::optional<bool> trains(std::size_t /*running*/) const { return {}; }
  virtual std::unique_ptr<LayerState> new_state() const = 0;
  // Throws unless the layer can run step by step.
  void check_steps(bool good, const char* problem, const char* expected) const;
  // Whether the layer draws random numbers in training, from the state's stream.
  virtual bool is_random() const { return false; }

  void make_stateful(std::vector<index> sizes) {
    carried_ = std::make_unique<CarriedState<T>>(std::move(sizes));
  }

  // The layer inside this one under `name`: that of `given`, else made from the part `name`.
  static std::shared_ptr<Layer> make_child(const base::OptionReader& config,
                                           const std::string& name, const Children& given);

  const T* values() const { return parameters_.values(); }
  // The layer's part of pass.gradients; null: the layer is not trained, or is frozen. The first
  // call in a step sets it to zero. A caller that passes `overwrites` gets true instead, and must
  // then write every element.
  T* gradients(const Pass<T>& pass, const LayerState& state, bool* overwrites = nullptr) const {
    if (pass.gradients == nullptr || !state.learns_itself()) return nullptr;
    T* const gradients = pass.gradients + state.gradients->offset;
    const bool stale = std::exchange(state.gradients->stale, false);
    if (overwrites != nullptr) {
      *overwrites = stale;
    } else if (stale) {
      std::fill_n(gradients, parameters_.trained_size(), T(0));
    }
    return gradients;
  }

  Parameters<T> parameters_;
  std::vector<Child> children_;

 private:
  std::unique_ptr<LayerState> make_state(const GradientLayout<T>* layout, std::uint32_t& streams,
                                         bool fixed) const;
  std::string text_of(const char* key) const {
    const auto at = config_.find(key);
    return at == config_.end() ? "" : at->second.text();
  }

  base::Options config_;
  Precision precision_ = Precision::full;
  bool built_ = false;
  std::unique_ptr<CarriedState<T>> carried_;
  std::shared_ptr<const OutputPenalty<T>> penalty_;
};

// A layer `Self` whose states are of type Self::State, with plan(), run_forward() and
// run_backward() for that type. plan() need not set the state's shapes.
template <class T, class Self>
class LayerWith : public Layer<T> {
 public:
  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const final {
    state.shapes = extent.inputs;
    self().plan(own(state), planner, extent);
  }
  void forward(const Pass<T>& pass, LayerState& state, const Ins<T>& in, Outs<T>& out) const final {
    out[0].mask = in[0].mask;  // most layers leave it so
    self().run_forward(pass, own(state), in, out);
  }
  void backward(const Pass<T>& pass, LayerState& state, const Ins<T>& in,
                const Outs<T>& out) const final {
    self().run_backward(pass, own(state), in, out);
  }

  // Of a layer that keeps nothing.
  using State = LayerState;
  void plan(State&, base::Planner&, const Extent&) const {}

 protected:
  static auto& own(LayerState& state) { return static_cast<typename Self::State&>(state); }
  std::unique_ptr<LayerState> new_state() const final {
    return std::make_unique<typename Self::State>();
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

// Calls f(path, layer) for a layer and all layers in it, outermost first.
template <class T, class F>
void for_each_layer(Layer<T>& layer, const std::string& path, F&& f) {
  f(path, layer);
  for (const typename Layer<T>::Child& child : layer.children()) {
    for_each_layer(*child.layer, path.empty() ? child.name : path + "." + child.name, f);
  }
}

// The registry of all kinds in layers.def.
const base::Registry<Layer, const Children&>& registry();

}  // namespace lstmfast::layers
