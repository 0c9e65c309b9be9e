// One LSTM layer in one direction over a whole sequence: forward, and backpropagation through time.
// Plans blocking and threads; knows no layers, models or files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "kernels/args.h"
#include "ops/linear.h"
#include "ops/panels.h"
#include "ops/reduced.h"

namespace lstmfast::ops {

// A parameter of the cell: its logical name and shape, and where it lies in the block of all
// parameters.
struct LstmPart {
  std::string name;          // kernel, recurrent_kernel, bias, peephole, norm_z_weight, ...
  std::vector<index> shape;  // logical, e.g. (I, 4H); the kernel's columns are gates i, f, g, o
  PartLayout layout;         // as a matrix; vectors have one row
  // Of a kernel in reduced precision, which lies from byte reduced_first of these on.
  ReducedMatrix reduced = {};
  index reduced_first = 0;
  bool shares_scales = false;  // in int8 its columns have the scales of the part before it
};

template <class T>
struct LstmCall;

constexpr index kRootOfSteps = -1;

// One product of a step: some rows of the panels, each with some of its gates, whose sums are some
// of the vectors of a row of dz.
struct GateProduct {
  index row, rows;  // of each panel
  int gates;        // vectors, from vector `first` of a row of weights and `kept` of a row of dz
  int first, kept;
  bool resets;  // of r h in place of h
};

// Shapes and the parameter block: packed panels [P][1 + I + O][G][V], with the bias first, the last
// of which may be a tail (kernels/args.h), then peepholes, norms and the projection. O is the size
// of h: H units, or the projection's outputs. Padding is zero. Where x W and h R are apart, a panel
// has the rows W, bias of x W, bias of h R, R, and the candidate is the first gate of the first
// two. In reduced precision the panels of the block are the biases alone, there is no tail, and the
// kernels lie elsewhere, one after the other: W, R, the projection.
template <class T>
struct LstmShape {
  index input, hidden;
  CellOptions options;
  Precision precision;
  int gates;  // vectors of a row of weights
  int kept;   // vectors of a row of what training keeps of the gates, and of dz
  index lanes, panels;
  kernels::Tail tail;

  LstmShape(index input, index hidden, const CellOptions& options,
            Precision precision = Precision::full);
  index size() const;  // elements of the parameter block
  // In Keras's order: kernel, recurrent_kernel, bias, then the extras.
  std::vector<LstmPart> parts() const;

  index outputs() const { return options.projection > 0 ? options.projection : hidden; }
  // Elements of a row of weights where the panel is no tail, and of a row that training keeps.
  index row_elements() const { return gates * lanes; }
  index kept_elements() const { return kept * lanes; }
  // Rows of a panel, and where its parts begin.
  index rows() const { return is_reduced() ? biases() : recurrent_row() + outputs(); }
  index bias_row() const { return apart() && !is_reduced() ? input : 0; }
  index input_row() const { return apart() ? 0 : 1; }
  index recurrent_row() const { return input + biases(); }
  index panel_stride() const { return rows() * row_elements(); }
  bool is_reduced() const { return precision != Precision::full; }
  // The kernels in reduced precision, and the bytes before R and before the projection.
  ReducedMatrix reduced_input() const;
  ReducedMatrix reduced_recurrent() const;
  index recurrent_byte() const { return reduced_input().bytes(); }
  index projection_byte() const { return recurrent_byte() + reduced_recurrent().bytes(); }
  // The sums of x W and of h R have their own bias each, and a part of the candidate; see GruCell.
  bool apart() const { return options.kind == CellKind::gru; }
  index biases() const { return apart() ? 2 : 1; }
  // Whether a step has two phases, the second of which multiplies r h: see ResetGates.
  bool two_phases() const { return options.kind == CellKind::gru_reset_before; }
  // Whether the cell keeps a state in panels: c, or a copy of h.
  bool has_c() const { return options.kind != CellKind::simple_rnn; }
  bool c_is_h() const { return apart() || two_phases(); }
  index c_panels() const { return has_c() ? panels : 0; }
  const T* first_c(const LstmCall<T>& call) const;  // [B][H]; null: zeros
  // x W, h R and, in the second phase of a step, r h R.
  GateProduct of_input() const { return {input_row(), input, gates, 0, 0, false}; }
  GateProduct of_hidden() const {
    const int own = two_phases() ? 2 : gates;
    return {recurrent_row(), outputs(), own, 0, apart() ? 1 : 0, false};
  }
  GateProduct of_reset() const {
    return {recurrent_row(), two_phases() ? outputs() : 0, 1, 2, 2, true};
  }
  // The products that make the gradients of all rows of the panels.
  static constexpr int kMaxProducts = 3;
  struct Products {
    int count;
    GateProduct at[kMaxProducts];
  };
  Products of_gradients() const {
    const index begin = apart() ? input + 1 : recurrent_row();  // of what h R adds
    GateProduct x = of_input(), h = of_hidden();
    x.row = 0;
    x.rows = begin;
    h.row = begin;
    h.rows = rows() - begin;
    if (apart()) return {2, {x, h}};
    if (two_phases()) return {3, {x, h, of_reset()}};
    x.rows = rows();
    return {1, {x}};
  }
  index tail_panel() const { return tail.units > 0 ? panels - 1 : -1; }
  index tail_row() const { return tail.vectors * lanes; }
  index whole_panels() const { return tail.units > 0 ? panels - 1 : panels; }
  index weight_row(index panel) const {
    return panel == tail_panel() ? tail_row() : row_elements();
  }
  // Of int8: the vectors of x W that are scaled at once, for h R adds nothing to them.
  int scaled_input() const { return apart() ? 1 : 0; }
  // Where the parts after the panels start.
  index peephole_offset() const { return whole_panels() * panel_stride() + rows() * tail_row(); }
  index norm_z_offset() const;
  index norm_c_offset() const;
  index projection_offset() const;
  // H to P, without a bias; only with a projection.
  LinearShape<T> projection() const { return {hidden, options.projection, precision}; }
  double flops() const;  // of one row's step
  // Bytes of W, R and the bias, which a step reads.
  index weight_bytes() const { return peephole_offset() * index(sizeof(T)); }
  bool exceeds_caches() const;  // whether weights come from memory, at least in part

 private:
  PartLayout kernel_layout(index rows, index turned_rows) const;
};

// What training draws at random, next to the cell's zoneout; rates of 0 are off.
struct LstmNoise {
  bool draw = true;      // false: nothing is random, and zoneout mixes by its rate, as in inference
  double input = 0;      // of x, one mask for all steps of a row
  double recurrent = 0;  // of the h that the gates read
  bool recurrent_per_step = false;
  double weight = 0;  // of the recurrent kernel's elements, one mask for the call
  // Names of the random numbers: see base/rng.h.
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;
  std::uint64_t step = 0;
};

// One call's data. x: row b, step t at x + b * x_row + t * x_step (I values); y (O values) and
// cells (H values) alike.
template <class T>
struct LstmCall {
  index steps, batch;
  const T* x;
  index x_row, x_step;
  T* y;  // null: only h_n is wanted (not in training, where backward reads y)
  index y_row, y_step;
  T* cells;  // c of every step; null: not wanted
  index cells_row, cells_step;
  const unsigned char* reduced;  // the kernels in reduced precision; null: they are in the block
  const T* h0;                   // [B][O]; null: zeros. c0 [B][H]
  const T* c0;
  T* h_n;  // [B][O]; null: not wanted. c_n [B][H]
  T* c_n;
  // Which steps of a row are real: the first lengths[b], or those where mask [B][steps] is 1; null:
  // all. Others are skipped: the state does not change, and y and cells are 0 there or, with
  // `hold`, those of the last real step before in the direction of the call (0 where there is
  // none).
  const index* lengths;
  const unsigned char* mask;
  bool hold;
  // [B][steps], 1: a new sequence begins at that step, if it is real; null: none. The state is
  // cleared between that step and the one before it in time, in a reversed call too.
  const unsigned char* resets;
  bool reverse;  // each row goes from its last real step to its first; y lies at the step of its x
  LstmNoise noise;
  index bptt_steps;  // gradients of the state are cut every bptt_steps steps; 0: never
  // Training keeps the cache of this many steps and recomputes the others; 0: of all, kRootOfSteps:
  // of sqrt(T).
  index recompute_every;
  // Changes whenever the parameters do: backward transposes them again only then. 0: they may
  // change at any time.
  std::uint64_t weights_version;
};

template <class T>
const T* LstmShape<T>::first_c(const LstmCall<T>& call) const {
  return c_is_h() ? call.h0 : call.c0;
}

// Gradients of one call. dy is laid out as y, dcells as cells, dx as x.
template <class T>
struct LstmGradients {
  const T* dy;      // null: 0
  const T* dcells;  // null: 0
  const T* dh_n;    // [B][O] or null
  const T* dc_n;    // [B][H] or null
  T* dx;            // overwritten; null: not wanted
  T* dh0;           // [B][O], overwritten; null: not wanted
  T* dc0;
  T* dblock;        // += gradients, laid out as the parameter block; null: not wanted
  bool overwrites;  // dblock = gradients in place of +=; without rows, zeros
  bool bias;        // false: the bias has no gradient (it stays 0)
};

// Memory of one running call: caches of training and scratch (ops/lstm_workspace.h). Grows, never
// shrinks: warm calls allocate nothing. Not shared between concurrent calls.
template <class T>
class LstmWorkspace;

// training: `workspace` keeps what lstm_backward needs; x, y and the parameters must not change
// until then. y overlaps neither x nor the states.
template <class T>
void lstm_forward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call, bool training,
                  LstmWorkspace<T>& workspace);

// Allocates all memory that lstm_backward of the same arguments needs, so that this cannot fail
// with some of the gradients added. Without this call, lstm_backward begins with it.
template <class T>
void plan_lstm_backward(const LstmShape<T>& shape, const LstmCall<T>& call,
                        const LstmGradients<T>& gradients, LstmWorkspace<T>& workspace);

// After a training forward on the same workspace and call. dx overlaps neither x nor dy.
template <class T>
void lstm_backward(const LstmShape<T>& shape, const T* block, const LstmCall<T>& call,
                   const LstmGradients<T>& gradients, LstmWorkspace<T>& workspace);

}  // namespace lstmfast::ops
