// The plain types that every rank shares, kernels included: no STL, no functions with a body that
// could be emitted twice.
#pragma once

#include <stddef.h>

namespace lstmfast {

using index = ptrdiff_t;

// Element-wise functions of gates and layers. `softmax` acts on rows and is for Dense only.
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
  softmax,
};

// What makes one LSTM cell differ from another; the equations stand in docs/architecture.md.
struct CellOptions {
  Activation activation = Activation::tanh;
  Activation recurrent_activation = Activation::sigmoid;
  bool peephole = false;
  bool coupled = false;  // i = 1 - f: three gates, in order f, g, o
  bool layer_norm = false;
};

// Internal linkage: kernel objects may not define a symbol that another object could call.
[[maybe_unused]] static inline int gate_count(const CellOptions& o) { return o.coupled ? 3 : 4; }
[[maybe_unused]] static inline bool is_plain(const CellOptions& o) {
  return o.activation == Activation::tanh && o.recurrent_activation == Activation::sigmoid &&
         !o.peephole && !o.coupled && !o.layer_norm;
}

}  // namespace lstmfast
