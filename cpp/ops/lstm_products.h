// The products of a recurrent step with x and with h, as tiles of the step or, in reduced
// precision, before it. Knows no sequences.
#pragma once

#include "kernels/lstm_args.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// A product of a step, into z [P][row][kept][V], without its rows and A; of a tail, where its
// panels are that. The bias is that of x W.
template <class T>
kernels::Gemm<T> gate_product(const LstmShape<T>& shape, const GateProduct& product,
                              const T* weights, base::Range panels, bool tail = false) {
  const index row = tail ? shape.tail_row() : shape.row_elements();
  kernels::Gemm<T> g{};
  g.panel0 = panels.begin;
  g.panel1 = panels.end;
  g.nr = tail ? shape.tail.vectors : product.gates;
  g.segments = 1;
  g.segment = product.rows;
  g.b = weights + product.row * row;
  g.bias = weights + shape.bias_row() * row;
  g.b_panel_stride = g.bias_panel_stride = shape.panel_stride();
  g.c_stride = shape.kept_elements();
  g.columns = shape.panels * row;
  return g;
}

// Bytes of scratch for products with so many rows in reduced precision.
template <class T>
index reduced_room(const LstmShape<T>& shape, index input_rows, index rows);

// Sets what a step in reduced precision needs next to its fields: scratch of reduced_room() bytes.
template <class T>
void set_reduced(const LstmShape<T>& shape, const unsigned char* weights, unsigned char* scratch,
                 index input_rows, index rows, kernels::StepForward<T>& s);

// Adds h R to z: in reduced precision, of the rows and panels of a step whose x W is there.
template <class T>
void add_recurrent(const LstmShape<T>& shape, const kernels::StepForward<T>& s);

// Runs a step. In reduced precision makes its sums first: x W unless x is null, then h R; `s` is
// changed meanwhile, for a copy of it would take as long as a small product.
template <class T>
void run_step(const LstmShape<T>& shape, kernels::StepForward<T>& s) {
  if (!shape.is_reduced()) return kernels::table<T>().step_forward(s);
  if (s.x != nullptr) {
    kernels::Gemm<T> g = gate_product(shape, shape.of_input(), s.weights, {s.panel0, s.panel1});
    g.row0 = s.row0;
    g.row1 = s.row1;
    g.descending = s.descending;
    g.a = s.x;
    g.a_offsets = s.x_offsets;
    g.c = s.z;
    g.c_panel_stride = s.z_panel_stride;
    g.reduced = s.of_input;
    g.reduced.scaled = shape.scaled_input();
    multiply(g);
  }
  add_recurrent(shape, s);
  const T *const x = s.x, *const z_in = s.z_in, *const weights = s.weights;
  s.x = s.weights = nullptr;
  s.z_in = s.z;
  kernels::table<T>().step_forward(s);
  s.x = x;
  s.z_in = z_in;
  s.weights = weights;
}

}  // namespace lstmfast::ops
