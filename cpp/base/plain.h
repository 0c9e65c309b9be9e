// The plain types that every rank shares, kernels included: no STL, no functions with a body that
// could be emitted twice.
#pragma once

#include <stddef.h>

namespace lstmfast {

using index = ptrdiff_t;

// Functions of gates and layers. All act on single elements, except softmax, which acts on rows and
// is for Dense only. Names, parameters and their defaults: layers/options.cpp.
enum class Activation : int {
  linear,
  relu,
  tanh,
  sigmoid,
  hard_sigmoid,
  leaky_relu,
  elu,
  softplus,
  softsign,
  exponential,
  relu6,
  selu,
  celu,
  gelu,
  gelu_tanh,
  silu,
  mish,
  tanh_shrink,
  log_sigmoid,
  hard_silu,
  hard_tanh,
  hard_shrink,
  soft_shrink,
  sparse_plus,
  sparse_sigmoid,
  squareplus,
  threshold,
  thresholded_relu,
  affine,
  scaled_tanh,
  softmax,  // the last
};

// A function with its parameters; 0 where it has none.
struct ActivationSpec {
  Activation kind = Activation::linear;
  double alpha = 0, beta = 0;
};

// In what the weights of products are stored: the type of all numbers, or for inference alone fewer
// bits (ops/reduced.h).
enum class Precision : int { full, bfloat16, int8 };

// The recurrent cells. A GRU's reset gate acts on the product of h, or on h before it.
enum class CellKind : int { lstm, gru, gru_reset_before, simple_rnn };

// What makes one cell differ from another; the equations stand in docs/equations.md. Cells other
// than the LSTM have activations alone.
struct CellOptions {
  ActivationSpec activation{Activation::tanh};  // of the candidate g
  ActivationSpec recurrent_activation{Activation::sigmoid};
  ActivationSpec output_activation{Activation::tanh};  // of c on its way to h
#define CELL_FLAG(name, fallback) bool name = fallback;
#define CELL_CLIP(name, in_cell) double name = 0;
#define CELL_SHARE(name, in_cell) double name = 0;
#include "base/cell_options.def"
  index projection = 0;  // P of h P; 0: none
  CellKind kind = CellKind::lstm;
};

// Internal linkage: kernel objects may not define a symbol that another object could call.
[[maybe_unused]] static inline int gate_count(const CellOptions& o) {
  if (o.kind == CellKind::lstm) return o.coupled ? 3 : 4;
  return o.kind == CellKind::simple_rnn ? 1 : 3;
}
// Whether backward needs x: the slope does not follow from the value.
[[maybe_unused]] static inline bool needs_input(const ActivationSpec& a) {
  switch (a.kind) {
    case Activation::gelu:
    case Activation::gelu_tanh:
    case Activation::silu:
    case Activation::mish:
    case Activation::tanh_shrink:
    case Activation::hard_silu:
    case Activation::hard_shrink:
    case Activation::soft_shrink:
    case Activation::threshold:
    case Activation::thresholded_relu:
    case Activation::scaled_tanh:
      return true;
    case Activation::leaky_relu:
      return a.alpha < 0;  // the value's sign is not that of x
    default:
      return false;
  }
}
// Whether none of the cell's options is on, so that the plain cell serves.
[[maybe_unused]] static inline bool is_plain(const CellOptions& o) {
#define CELL_FLAG(name, fallback) \
  if (o.name != (fallback)) return false;
#define CELL_CLIP(name, in_cell) \
  if ((in_cell) && o.name > 0) return false;
#define CELL_SHARE(name, in_cell) CELL_CLIP(name, in_cell)
#include "base/cell_options.def"
  return o.activation.kind == Activation::tanh &&
         o.recurrent_activation.kind == Activation::sigmoid &&
         o.output_activation.kind == Activation::tanh;
}
// Whether h is more than o a(c), so that a separate pass follows the cell. In training, recurrent
// dropout is another reason for that pass.
[[maybe_unused]] static inline bool finishes_h(const CellOptions& o) {
  return o.projection > 0 || o.zoneout_h > 0;
}

}  // namespace lstmfast
