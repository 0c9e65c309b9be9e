// The LSTM layer: one direction over a whole sequence. Knows no graph and no models.
// Inputs: x [, h0, c0]. Outputs: y, which is h of every step or of the last one, and optionally h
// and c of the last step and c of every step.
#pragma once

#include <optional>
#include <vector>

#include "layers/layer.h"
#include "layers/lstm_directions.h"

namespace lstmfast::layers {

// The layer's options apart from the cell's.
struct LstmSequences {
  bool all = false;  // y is h of every step, in the order of computation, not only of the last
  bool stateful = false;
  bool zero_masked = false;           // y of masked steps is 0; else that of the step before
  std::optional<std::uint64_t> seed;  // of random masks, instead of the pass's
};

// The ports of one direction in a pass. Step t of row b of y is at b * row + t * step; a y of the
// last step alone has row b at b * row.
template <class T>
struct LstmPorts {
  In<T> x, h0, c0;
  Out<T> y, h, c, cells;
  index steps, row, step;
  bool against_time;         // y and cells begin with the last step
  T* sequence;               // [batch][steps][O]: h of all steps, if y is that of the last alone
  T* last;                   // [batch][O] scratch of such a y; null: its rows are contiguous
  T *carried_h, *carried_c;  // null: this pass carries no states
};

template <class T>
class Lstm : public Layer<T> {
 public:
  explicit Lstm(const base::Values& options);  // values of lstm_layer_options()

  const LstmSequences& sequences() const { return sequences_; }
  const LstmDirection<T>& direction() const { return direction_; }

  index most_inputs() const override { return 3; }
  bool optional_output(index output) const override { return output > 0; }
  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override;
  // Throws unless the layer can take these inputs. Parameters need not be declared.
  void check(const std::vector<Shape>& inputs) const;
  std::vector<index> state_sizes() const override { return {shape().outputs(), shape().hidden}; }
  // As in Keras the mask is the input's, step for step, also if the layer runs backwards.
  bool masks(const std::vector<bool>& masked) const override { return masked[0] && sequences_.all; }
  double flops(const std::vector<Shape>& inputs) const override;

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override;
  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override;
  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override;

  // ---- Set-up and end of a direction's pass, also used by Bidirectional ----

  // Sets the call of `run` for this layer, which is direction d of `directions`.
  void begin_forward(const Pass<T>& pass, const LayerState& state, const LstmPorts<T>& ports,
                     const LstmDirections<T>& directions, index d, LstmRun<T>& run) const;
  // After forward of the run: writes a y of the last step alone, and the carried states.
  void end_forward(const LstmPorts<T>& ports, const LstmRun<T>& run) const;
  void begin_backward(const Pass<T>& pass, const LayerState& state, const LstmPorts<T>& ports,
                      LstmRun<T>& run) const;

 private:
  struct State;

  void declare_parameters(const std::vector<Shape>& inputs) override;
  std::unique_ptr<LayerState> new_state(StateBinding<T>& binding) const override;
  bool is_random() const override { return true; }

  const ops::LstmShape<T>& shape() const { return direction_.shape; }
  LstmPorts<T> ports(const Pass<T>& pass, const State& my, const std::vector<In<T>>& in,
                     const std::vector<Out<T>>& out) const;
  bool shows(const ops::LstmCall<T>& call, index row) const;

  LstmDirection<T> direction_;  // has one input feature until the parameters are declared
  LstmSequences sequences_;
  LstmDirections<T> alone_{direction_};
};

}  // namespace lstmfast::layers
