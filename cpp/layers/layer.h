// The contract of every layer: shapes, parameters, forward and backward. Knows no model, no loss
// and no training loop.
//
// A layer is fixed once declared and may serve any number of passes at a time: all that a pass
// writes lives in its Pass and in the LayerState made for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/plain.h"
#include "base/registry.h"
#include "layers/parameters.h"
#include "layers/shape.h"

namespace lstmfast::layers {

// Kinds of random streams, so that one layer can draw several masks.
enum class RandomKind : std::uint32_t { dropout };

// One run over a batch, shared by all layers.
template <class T>
struct Pass {
  const T* values = nullptr;     // flat block of all parameters
  T* gradients = nullptr;        // laid out alike, +=; null in inference
  base::Arena* arena = nullptr;  // holds the slots that the layers declared
  index batch = 0;               // at most the declared one
  double* penalty = nullptr;     // of outputs, +=; null: not wanted
  // [batch][rows of x], 1: real; null: all are.
  const unsigned char* mask = nullptr;
  // What the layer carries from pass to pass, part after part [batch][size], in and out; null: it
  // begins with zeros and keeps nothing.
  T* carried = nullptr;
  T* cells = nullptr;  // out, LSTM layers on their own: c of every step; null: not wanted
  bool training = false;
  bool pre_activation = false;  // leave out last_activation(): the loss computes it
  std::uint64_t seed = 0;       // of random masks,
  std::uint64_t step = 0;       // and the optimizer step that they belong to
};

// A layer's slots and caches in one pass.
class LayerState {
 public:
  virtual ~LayerState() = default;
};

// What a pass must have room for.
struct Extent {
  Shape input;    // of the layer, known
  index batch;    // the largest
  bool training;  // forward keeps what backward needs
};

template <class T>
class Layer {
 public:
  virtual ~Layer() = default;

  // Once, before anything else. `input` may have kAnySize. Throws std::invalid_argument for an
  // input that the layer cannot take.
  virtual void declare_parameters(const Shape& input, Declaration& declaration) = 0;

  virtual Shape output_shape(const Shape& input) const = 0;

  virtual bool has_parameters() const { return false; }

  // Sizes of what a row can carry from pass to pass: h and c of each LSTM, in turn.
  virtual std::vector<index> carried() const { return {}; }
  // Does it, in a model?
  virtual bool stateful() const { return false; }

  // Has the output a mask, for an input with or without one?
  virtual bool masks(bool masked) const { return masked; }
  // It, after forward: [batch][rows of y]; null: all rows are real.
  virtual const unsigned char* mask_out(const Pass<T>& pass, const LayerState&) const {
    return pass.mask;
  }

  // The element-wise (or softmax) end of forward that pass.pre_activation leaves out.
  virtual Activation last_activation() const { return Activation::linear; }

  // Floating-point operations of forward for one sample, roughly: for choosing, not for reports.
  virtual double flops(const Shape& input) const = 0;

  virtual std::unique_ptr<LayerState> make_state() const { return std::make_unique<LayerState>(); }

  // Plans the memory of a pass. Called again when the extent changes; allocates nothing itself.
  virtual void declare(LayerState& state, base::Planner& planner, const Extent& extent) const = 0;

  // x [batch][input], y [batch][output], both contiguous; y is not x.
  virtual void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const = 0;

  // After a training forward on the same pass, state, x and y, all unchanged since. Gradients of
  // parameters are added to pass.gradients.
  //   dy [batch][output] in: gradient for y (or the pre-activation, if the pass left it out);
  //                      overwritten
  //   dx [batch][input]  out; null: not wanted
  virtual void backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                        T* dx) const = 0;
};

// All of layers.def.
const base::Registry<Layer>& registry();

}  // namespace lstmfast::layers
