// The LSTM layer: one direction over a whole sequence, the output h of every step or the last one.
// Its ports: x [, h0, c0] in; y, h, c, c of every step out, all but y optional.
#pragma once

#include <optional>
#include <vector>

#include "layers/layer.h"
#include "layers/lstm_directions.h"

namespace lstmfast::layers {

// What the layer does with sequences, beside the cell's options.
struct LstmSequences {
  bool all = false;  // y is h of every step in the order of the run, not only the last
  bool stateful = false;
  bool zero_masked = false;           // y of masked steps is 0; else that of the step before
  std::optional<std::uint64_t> seed;  // of its masks, instead of the pass's
};

// The ports of one direction in a pass. Step t of row b of y lies at b * row + t * step, the last
// one alone at b * row.
template <class T>
struct LstmPorts {
  In<T> x, h0, c0;
  Out<T> y, h, c, cells;
  index steps, row, step;
  bool against_time;         // y and cells have the last step first
  T* sequence;               // [batch][steps][O]: h of all steps, where y is the last one alone
  T* last;                   // [batch][O] scratch of such a y; null: its rows are contiguous
  T *carried_h, *carried_c;  // null: the states of this pass are not carried
};

template <class T>
class Lstm : public Layer<T> {
 public:
  explicit Lstm(const base::Values& options);  // of lstm_layer_options()

  const LstmSequences& sequences() const { return sequences_; }
  const LstmDirection<T>& direction() const { return direction_; }

  index most_inputs() const override { return 3; }
  bool optional_output(index output) const override { return output > 0; }
  std::vector<Shape> output_shapes(const std::vector<Shape>& inputs) const override;
  // That the layer can take these inputs, whether its parameters are declared or not.
  void check(const std::vector<Shape>& inputs) const;
  std::vector<index> state_sizes() const override { return {shape().outputs(), shape().hidden}; }
  // As in Keras, where the layer goes backwards too: step for step that of the input.
  bool masks(const std::vector<bool>& masked) const override { return masked[0] && sequences_.all; }
  double flops(const std::vector<Shape>& inputs) const override;

  void declare(LayerState& state, base::Planner& planner, const Extent& extent) const override;
  void forward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
               std::vector<Out<T>>& out) const override;
  void backward(const Pass<T>& pass, LayerState& state, const std::vector<In<T>>& in,
                const std::vector<Out<T>>& out) const override;

  // ---- What is around a pass of the direction, for Bidirectional too ----

  // The call of direction d of `directions`, which is this one.
  void begin_forward(const Pass<T>& pass, const LayerState& state, const LstmPorts<T>& ports,
                     const LstmDirections<T>& directions, index d, LstmRun<T>& run) const;
  // What forward of the run leaves to be done: y that is the last step alone, and carried states.
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

  LstmDirection<T> direction_;  // of one input until the input is declared
  LstmSequences sequences_;
  LstmDirections<T> alone_{direction_};
};

}  // namespace lstmfast::layers
