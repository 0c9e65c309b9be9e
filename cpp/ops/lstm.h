// One LSTM layer in one direction over a whole sequence: forward, and backpropagation through time.
// Plans blocking and threads; knows no layers, models or files.
#pragma once

#include <string>
#include <vector>

#include "base/buffer.h"
#include "ops/panels.h"

namespace lstmfast::ops {

// A parameter of the cell: its logical name and shape, and where it lies in the block of all
// parameters.
struct LstmPart {
  std::string name;          // kernel, recurrent_kernel, bias, peephole, norm_z_weight, ...
  std::vector<index> shape;  // logical, e.g. (I, 4H); the kernel's columns are gates i, f, g, o
  PartLayout layout;         // as a matrix; vectors have one row
};

// Shapes and the parameter block: packed panels [P][1 + I + H][G][V], then peepholes, then norms.
// Padding is zero.
template <class T>
struct LstmShape {
  index input, hidden;
  CellOptions options;
  int gates;
  index lanes, panels;

  LstmShape(index input, index hidden, const CellOptions& options);
  index size() const;  // elements of the parameter block
  // In Keras's order: kernel, recurrent_kernel, bias, then the extras.
  std::vector<LstmPart> parts() const;

  index row_elements() const { return gates * lanes; }  // of one row of a panel
  index panel_stride() const { return (1 + input + hidden) * row_elements(); }
  // Where the pieces behind the panels start.
  index peephole_offset() const { return panels * panel_stride(); }
  index norm_z_offset() const;
  index norm_c_offset() const;
};

// One call's data. x: row b, step t at x + b * x_row + t * x_step (I values); y alike (H values).
template <class T>
struct LstmCall {
  index steps, batch;
  const T* x;
  index x_row, x_step;
  T* y;  // null: only h_n is wanted (not in training, where backward reads y)
  index y_row, y_step;
  const T* h0;  // [B][H]; null: zeros. c0 alike
  const T* c0;
  T* h_n;  // [B][H]; null: not wanted
  T* c_n;
  const index* lengths;  // [B], 0 .. steps; null: all full. y is 0 behind a row's end
  // [B][steps], 1: the row's state is cleared before that step; null: none
  const unsigned char* resets;
};

// Gradients of one call. dy is laid out as y; dx as x.
template <class T>
struct LstmGradients {
  const T* dy;    // null: 0
  const T* dh_n;  // [B][H] or null
  const T* dc_n;
  T* dx;   // overwritten; null: not wanted
  T* dh0;  // [B][H], overwritten; null: not wanted
  T* dc0;
  T* dblock;  // += gradients, laid out as the parameter block; null: not wanted
  bool bias;  // false: the bias has no gradient (it stays 0)
};

// Memory of one running call: caches of training and scratch (ops/lstm_workspace.h). Grows, never
// shrinks: warm calls allocate nothing. Not shared between concurrent calls.
template <class T>
class LstmWorkspace;

// training: keep in `workspace` what lstm_backward needs; x, y and the parameters must stay as they
// are until then. y overlaps neither x nor the states.
template <class T>
void lstm_forward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call, bool training,
                  LstmWorkspace<T>& workspace);

// After a training forward on the same workspace and call. dx overlaps neither x nor dy.
template <class T>
void lstm_backward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                   const LstmGradients<T>& gradients, LstmWorkspace<T>& workspace);

}  // namespace lstmfast::ops
