// Memory of one running LSTM call. Knows the layout of its arrays, not what is computed.
//
// Training keeps its caches for a chunk of steps: all of them, or those between two recomputations.
// A "cache row" is a packed row of the chunk. Units and outputs of a row are padded to whole
// vectors.
#pragma once

#include "base/arena.h"
#include "kernels/table.h"
#include "ops/lstm_threads.h"

namespace lstmfast::ops {

template <class T>
class LstmWorkspace {
 public:
  // Places the arrays of a forward call, whose `rows` and `sharing` must be set; nothing of an
  // earlier call is kept. ahead_rows: packed rows that are projected ahead at a time in inference
  // (0: none); training projects into the gates' cache.
  void plan(const LstmShape<T>& shape, const LstmCall<T>& call, bool training, index ahead_rows);
  // Places the arrays of backward; those of plan() keep their contents. transposed_size: elements.
  void plan_backward(const LstmShape<T>& shape, const LstmCall<T>& call, const LstmGradients<T>& d,
                     index transposed_size);

  bool training = false;
  index ahead_rows;      // packed rows for which x W is computed ahead; 0: the step computes it
  bool padded_steps;     // z that is computed ahead has room for all rows at every step
  bool trained = false;  // whether a training forward has filled the caches
  bool backward_planned = false;  // whether plan_backward() was called after it
  LstmRows<T> rows;
  // Of forward and of its backward, even if the limit of threads changes between them: memory is
  // planned for these threads.
  LstmSharing sharing;

  // Steps whose caches are kept at a time, and the steps that the caches hold now.
  index chunk_steps, chunk_begin, chunk_end;

  // h, and what a step's product reads, which differs from h with recurrent dropout only:
  // [2][B][h_stride] by the parity of the step; with recurrent dropout h_in is [B + cache rows].
  T* h_in;
  T* h;
  index h_stride;
  bool keeps_h_in;
  T* h0;  // [B][h_stride] by slot, in training with initial states; else null
  // r h of a step with two phases: [B][h_stride], in training [cache rows][h_stride].
  T* reset_h;
  bool has_c0;
  // Null where the cell has none. [P][rows][V]: in inference B rows, updated in place; in training
  // B rows of the c before the chunk, then the cache rows.
  T* c;
  index c_panel_stride;
  // [P][rows][kept][V]. Training: what backward needs of the gates of the cache rows (z, with layer
  // norm), dz after backward. Inference: z of the rows that are projected ahead; null if none are.
  T* gates;
  index gate_panel_stride;
  T* stats;         // [cache rows, or B in inference][2 G + 2], layer norm
  T* norm_scratch;  // [threads][norm_scratch_size]
  index norm_scratch_size;
  // o a(c) before the projection: [B][u_stride], in training [cache rows][u_stride].
  T* u;
  index u_stride;  // H, padded
  // The projection, [cache rows][h_stride]: in training where h, a mixture of it and h_prev, does
  // not show which values were clipped; else null.
  T* v;
  // h and c before each chunk but the first: [chunks - 1][B][h_stride], [chunks - 1][P][B][V].
  T* saved_h;
  T* saved_c;

  // Masks of training; null where off. See ops/lstm_noise.h.
  T* x;                // [cache rows][I]: x times its mask
  index* x_starts;     // [B] offsets of a step's rows in it
  T* x_mask;           // [B][I] by slot
  T* recurrent_mask;   // [B][h_stride] by slot, or [cache rows][h_stride]
  T* keep_h;           // [cache rows][h_stride]
  T* keep_c;           // [cache rows][u_stride]
  T* weight_mask;      // [P][O][G][V]
  T* weight_row;       // [G H] scratch for drawing it
  T* dropped_weights;  // the masked panels [P][1 + I + O][G][V]

  // In reduced precision: scratch of products, reduced_size bytes for each thread.
  unsigned char* reduced_scratch;
  index reduced_size;

  T* dh;        // [B][h_stride]; where finishes_h(), only the part through the product
  T* dreset_h;  // [B][h_stride], of r h
  T* dh_carry;
  T* dv;  // [B][dv_stride], or with a projection [cache rows][dv_stride], 0 after its outputs
  index dv_stride;
  T* du;  // [B][u_stride], with a projection
  T* dc;  // [P][B][V]
  index dc_panel_stride;
  T* dnorm;           // [B][P][2 G + 2][V] gradients of gains and shifts by slot
  T* transposed;      // panels of R transposed, of the projection, of W
  T* packed_columns;  // of A, for the weight gradient: [column_tiles][packed_tile]
  index column_tiles, packed_tile;
  typename LstmShape<T>::Products products;  // of the gradients of the panels
  // dz of a tail in the layout of its weights, for one reduction, of packed_gates_size elements for
  // each product of the gradients; null: no tail.
  T* packed_gates;
  index packed_gates_size;
  index* c_prev_offsets;   // [cache rows] c before a row, for peepholes; -1: 0
  T* held_dy;              // [total][O]; null: the caller's dy is read
  T* held_dcells;          // [total][H]
  index* held_dy_offsets;  // [total] of their rows
  index* held_dcells_offsets;
  T* dropped_gradient;  // laid out as dropped_weights
  LinearScratch<T> projection_scratch;
  // The weights that `transposed` was made from; version 0: unknown.
  struct TransposedOf {
    std::uint64_t version = 0;
    const T* block = nullptr;
    index size = 0;
    int parts = 0;
  } transposed_of;
  T clip_values[4] = {};  // gates at the ends of preact_clip: see CellParams

  index cache_row(index k) const { return rows.first_row[k] - rows.first_row[chunk_begin]; }
  // c before step k, rows by slot, as a row of c.
  index c_row(index k) const {
    return !training || k == chunk_begin ? 0 : rows.batch + cache_row(k - 1);
  }
  T* c_before(index k, index lanes) const { return c + c_row(k) * lanes; }
  T* c_after(index k, index lanes) const {
    return training && c != nullptr ? c + (rows.batch + cache_row(k)) * lanes : c;
  }
  T* h_at(index k) const { return h + (k & 1) * rows.batch * h_stride; }
  T* reset_h_at(index k) const { return reset_h + (training ? cache_row(k) * h_stride : 0); }
  T* h_in_at(index k) const {
    if (!keeps_h_in) return h_in + (k & 1) * rows.batch * h_stride;
    return h_in + (k == chunk_begin ? 0 : rows.batch + cache_row(k - 1)) * h_stride;
  }
  // Whether there is a state before step k; otherwise it is 0.
  bool has_h(const LstmCall<T>& call, index k) const { return k > 0 || call.h0 != nullptr; }
  const T* c_prev(index k, index lanes) const {
    return c == nullptr || (k == 0 && !has_c0) ? nullptr : c_before(k, lanes);
  }
  // Per-step masks of step k, for kernels: rows by slot.
  kernels::Keep<T> mask_at(const T* mask, index k, index stride) const {
    return {mask ? mask + cache_row(k) * stride : nullptr, stride};
  }

 private:
  base::Arena forward_, backward_;
};

// Gates at the ends of preact_clip, where there is one: CellParams::clip_values.
template <class T>
void fill_clip_values(const CellOptions& options, T (&values)[4]);

// The parameters beyond W, R and b, as kernels take them.
template <class T>
kernels::CellParams<T> cell_params(const LstmShape<T>& shape, const T* block,
                                   const T* clip_values) {
  const CellOptions& o = shape.options;
  return {&o,
          is_plain(o),
          o.peephole ? block + shape.peephole_offset() : nullptr,
          o.layer_norm ? block + shape.norm_z_offset() : nullptr,
          o.layer_norm ? block + shape.norm_c_offset() : nullptr,
          clip_values};
}

}  // namespace lstmfast::ops
