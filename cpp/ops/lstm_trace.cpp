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
  kept.y = trace.h;
  kept.y_row = trace.h_row;
  kept.y_step = trace.h_step;
  kept.cells = trace.c;
  kept.cells_row = trace.row;
  kept.cells_step = trace.step;
  T* const gates[] = {trace.i, trace.f, trace.g, trace.o};
  for (T* const gate : gates)
    for (index b = 0; b < call.batch; ++b)
      for (index t = 0; t < call.steps; ++t)
        std::fill_n(gate + b * trace.row + t * trace.step, shape.hidden, T(0));
  lstm_forward(shape, block, kept, true, w);

  kernels::ReadGates<T> read{};
  read.row1 = w.rows.total;
  read.hidden = shape.hidden;
  read.panels = shape.panels;
  read.gates = w.gates;
  read.gate_panel_stride = w.gate_panel_stride;
  read.stats = w.stats;
  std::copy_n(gates, 4, read.out);
  read.offsets = w.rows.cells_offsets;
  read.cell = cell_params(shape, block, w);
  kernels::table<T>().read_gates(read);
}

#define LF_INSTANTIATE(T)                                                                          \
  template void lstm_trace(const LstmShape<T>&, const T*, const LstmCall<T>&, const LstmTrace<T>&, \
                           LstmWorkspace<T>&);
LF_INSTANTIATE(float)
LF_INSTANTIATE(double)
#undef LF_INSTANTIATE

}  // namespace lstmfast::ops
