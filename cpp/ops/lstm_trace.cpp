#include "ops/lstm_trace.h"

#include <algorithm>

#include "base/denormals.h"
#include "ops/lstm_workspace.h"

namespace lstmfast::ops {

// A training call without randomness is an inference that keeps its gates.
template <class T>
void lstm_trace(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                const LstmTrace<T>& trace, LstmWorkspace<T>& w) {
  const base::FlushDenormals flush;
  LstmCall<T> kept = call;
  kept.noise.draw = false;
  kept.recompute_every = 0;
  const index H = shape.hidden, O = shape.outputs();
  kept.y = trace.h;
  kept.y_row = trace.row * O;
  kept.y_step = trace.step * O;
  kept.cells = trace.c;
  kept.cells_row = trace.row * H;
  kept.cells_step = trace.step * H;
  for (T* const gate : trace.gates) std::fill_n(gate, call.batch * call.steps * H, T(0));
  lstm_forward(shape, block, kept, true, w);

  kernels::ReadGates<T> read{};
  read.row1 = w.rows.total;
  read.hidden = H;
  read.panels = shape.panels;
  read.gates = w.gates;
  read.gate_panel_stride = w.gate_panel_stride;
  read.stats = w.stats;
  std::copy_n(trace.gates, 4, read.out);
  read.offsets = w.rows.cells_offsets;
  read.cell = cell_params(shape, block, w.clip_values);
  kernels::table<T>().read_gates(read);
}

template decltype(lstm_trace<float>) lstm_trace<float>;
template decltype(lstm_trace<double>) lstm_trace<double>;

}  // namespace lstmfast::ops
