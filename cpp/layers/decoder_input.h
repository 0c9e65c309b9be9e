// What a decoder takes in training: its targets one step late. Knows no model; the training loop
// may ask it to put the model's own outputs in the place of targets.
#pragma once

#include <cstdint>
#include <optional>

#include "layers/layer.h"

namespace lstmfast::layers {

// x [batch][steps] of ids, or [batch][steps][features]; y[0] = start_token, y[t] = x[t - 1]. The
// mask of y says at which steps x is not padding, so that the losses of padding do not count.
template <class T>
class DecoderInput final : public LayerWith<T, DecoderInput<T>> {
 public:
  struct State : LayerState {
    base::Slot<unsigned char> mask;
  };

  explicit DecoderInput(const base::Values& options);

  Elements input_elements(index input, Elements wanted) const override;
  bool moves_ids() const override { return true; }
  bool masks(index, const std::vector<bool>& masked) const override {
    return padding_.has_value() || masked[0];
  }
  bool takes_masked_ids() const override { return true; }
  Shapes output_shapes(const Shapes& inputs) const override;

  void plan(State& my, base::Planner& planner, const Extent& extent) const;
  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const;
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const;

  // Whether training samples at all, and with which probability at an optimizer step.
  bool samples() const { return rate_ > 0; }
  double sampling_rate(std::uint64_t step) const;
  // Throws unless a model's outputs may replace targets of shape x, which are ids below `ids`, if
  // that is not 0.
  void check_sampling(const char* op, const Shape& x, index ids, const Shape& outputs) const;
  // Writes x of this shape to `mixed`, where it has arrays, with some of its steps replaced by the
  // model's outputs [batch][steps][columns] at these steps: of ids by the likeliest one. Padding
  // stays, and never replaces anything.
  void sample(const Pass<T>& pass, const Shape& shape, const In<T>& x, const T* outputs,
              index columns, const Out<T>& mixed) const;

 private:
  template <class E>
  bool is_padding(const E* step, index size) const;

  double start_;
  std::optional<double> stop_, padding_;
  double rate_;
  index rate_steps_;
};

}  // namespace lstmfast::layers
