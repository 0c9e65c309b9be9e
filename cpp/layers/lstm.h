// The LSTM layer: one direction over a whole sequence, the output h of every step or the last one.
// Bidirectional is two of them, so where outputs go is open here.
#pragma once

#include <optional>
#include <vector>

#include "layers/layer.h"
#include "layers/options.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::layers {

// What the layer does with sequences, beside the cell's options.
struct LstmSequences {
  bool all = false;        // y is h of every step, not only the last
  bool backwards = false;  // from the last step to the first; y in that order
  bool stateful = false;
  bool zero_masked = false;           // y of masked steps is 0; else that of the step before
  std::optional<std::uint64_t> seed;  // of its masks, instead of the pass's
};

template <class T>
class Lstm : public Layer<T> {
 public:
  explicit Lstm(const base::Values& options);  // of lstm_layer_options()

  // Outputs, or gradients for them, of row b: step t at y + b * row + t * step, the last one alone
  // at y + b * row. `flipped`: the steps stand in the opposite order.
  template <class U>
  struct Place {
    U* y;
    index row, step;
    bool flipped;
  };

  void forward_into(const Pass<T>& pass, LayerState& state, const T* x, Place<T> out) const;
  void backward_from(const Pass<T>& pass, LayerState& state, Place<const T> dy, T* dx) const;

  const LstmSequences& sequences() const { return sequences_; }
  const ops::LstmShape<T>& shape() const { return shape_; }

  void declare_parameters(const Shape& input, Declaration& declaration) override;
  Shape output_shape(const Shape& input) const override {
    return sequences_.all ? input.with_features(shape_.outputs()) : Shape{shape_.outputs()};
  }
  bool has_parameters() const override { return true; }
  std::vector<index> carried() const override { return {shape_.outputs(), shape_.hidden}; }
  bool stateful() const override { return sequences_.stateful; }
  // As in Keras, where the layer goes backwards too: step for step that of the input.
  bool masks(bool masked) const override { return masked && sequences_.all; }
  const unsigned char* mask_out(const Pass<T>& pass, const LayerState&) const override {
    return sequences_.all ? pass.mask : nullptr;
  }
  double flops(const Shape& input) const override;

  std::unique_ptr<LayerState> make_state() const override;
  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override;
  void forward(const Pass<T>& pass, LayerState& state, const T* x, T* y) const override;
  void backward(const Pass<T>& pass, LayerState& state, const T* x, const T* y, T* dy,
                T* dx) const override;

 private:
  template <class U>
  Place<U> whole(const LayerState& state, U* y) const;
  template <class U>
  U* first_of_run(const Place<U>& place, index steps) const;
  void zero_hidden(const ops::LstmCall<T>& call, T* rows) const;

  ops::LstmShape<T> shape_;  // of one input until the input is declared
  LstmOptions options_;
  LstmSequences sequences_;
  index block_ = 0;
};

}  // namespace lstmfast::layers
