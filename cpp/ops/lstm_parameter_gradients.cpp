#include "ops/lstm_parameter_gradients.h"

#include <algorithm>

#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/plan.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

using base::Range;

template <class T>
struct ParameterGradients {
  const LstmShape<T>& shape;
  const LstmCall<T>& call;
  const LstmGradients<T>& d;
  T* dblock;
  Range steps;
  LstmWorkspace<T>& w;
  const LstmRows<T>& rows = w.rows;
  const Range cached{w.cache_row(steps.begin), w.cache_row(steps.end)};
  const kernels::Table<T>& kernel = kernels::table<T>();

  // The h of slot s that the product of step k read; null where it was 0.
  const T* previous_h(index k, index s) const {
    if (rows.resets && rows.resets[k * rows.batch + s]) return nullptr;
    if (!w.has_h(call, k)) return nullptr;
    if (w.keeps_h_in) return w.h_in_at(k) + s * w.h_stride;
    if (k == 0) return w.h0 + s * w.h_stride;
    return call.y + rows.y_offsets[rows.first_row[k - 1] + s];
  }

  void weights(Range tiles, T* packed) const {
    base::InterruptPoint point;
    const T one = 1;
    const T *ones[kReductionRows], *x[kReductionRows], *h[kReductionRows], *resets[kReductionRows];
    std::fill_n(ones, kReductionRows, d.bias ? &one : nullptr);
    const typename LstmShape<T>::Products& products = w.products;
    const index first = rows.first_row[w.chunk_begin];
    index t = steps.begin;
    for (index begin = cached.begin; begin < cached.end; begin += kReductionRows) {
      const index count = std::min(kReductionRows, cached.end - begin);
      for (index r = 0; r < count; ++r) {
        const index row = first + begin + r;
        while (rows.first_row[t + 1] <= row) ++t;
        x[r] = w.x ? w.x + (begin + r) * shape.input : call.x + rows.x_offsets[row];
        h[r] = previous_h(t, row - rows.first_row[t]);
        if (w.reset_h) resets[r] = h[r] ? w.reset_h + (begin + r) * w.h_stride : nullptr;
      }
      index tile = 0;  // the first of a product, among all
      for (int i = 0; i < products.count; ++i) {
        const GateProduct& product = products.at[i];
        const index end = tile + tiles_of(product);
        const Range mine{std::max(tiles.begin, tile) - tile, std::min(tiles.end, end) - tile};
        ColumnSource<T> sources[3];
        WeightGradient<T> g{};
        g.sources = sources;
        const auto add = [&](index row, index k, const T* const* of) {
          sources[g.source_count++] = {row - product.row, k, of};
        };
        if (i == 0) {
          add(shape.bias_row(), 1, ones);
          add(shape.input_row(), shape.input, x);
        } else if (shape.apart()) {
          add(product.row, 1, ones);
        }
        if (product.row + product.rows == shape.rows()) {
          add(shape.recurrent_row(), shape.outputs(), product.resets ? resets : h);
        }
        g.k = product.rows;
        g.rows = count;
        g.panels = shape.whole_panels();
        g.nr = product.gates;
        g.dz = w.gates + begin * shape.kept_elements() + product.kept * shape.lanes;
        g.dz_panel_stride = w.gate_panel_stride;
        g.dz_row_stride = shape.kept_elements();
        g.dw = d.dblock + product.row * shape.row_elements() + product.first * shape.lanes;
        g.dw_panel_stride = shape.panel_stride();
        g.dw_row_stride = shape.row_elements();
        g.overwrites = d.overwrites && begin == cached.begin;
        g.tail_vectors = shape.tail.vectors;
        if (w.packed_gates) {
          g.tail_dz = packed_gates(i) + (begin - cached.begin) * shape.tail_row();
          g.tail_dw = d.dblock + shape.whole_panels() * shape.panel_stride() +
                      product.row * shape.tail_row();
        }
        g.packed = packed + (tile + mine.begin - tiles.begin) * w.packed_tile;
        const double tile_flops = 2.0 * double(count * shape.panels * product.gates * shape.lanes) *
                                  kernel.tile_rows[product.gates];
        if (!mine.empty()) {
          point.in_blocks(mine, tile_flops, [&](Range part) {
            g.tile0 = part.begin;
            g.tile1 = part.end;
            add_weight_gradient(g);
          });
        }
        tile = end;
      }
    }
  }
  index tiles_of(const GateProduct& product) const {
    const index mr = kernel.tile_rows[product.gates];
    return (product.rows + mr - 1) / mr;
  }

  // dz of the tail in the layout of its weights, for product i of a gradient.
  T* packed_gates(int i) const { return w.packed_gates + i * w.packed_gates_size; }
  void pack_tail() const {
    const index row = shape.kept_elements();
    const typename LstmShape<T>::Products& products = w.products;
    for (int i = 0; i < products.count; ++i) {
      const GateProduct& product = products.at[i];
      kernel.pack_gates({cached.size(), product.gates, shape.tail,
                         w.gates + shape.tail_panel() * w.gate_panel_stride + cached.begin * row +
                             product.kept * shape.lanes,
                         row, packed_gates(i)});
    }
  }

  // dp = sum over rows of dz c_prev (i, f) or dz c (o).
  void peepholes(base::team::Request threads) const {
    const index G = shape.gates, V = shape.lanes;
    for (index k = steps.begin, r = cached.begin; k < steps.end; ++k) {
      const bool none = w.c_prev(k, V) == nullptr;
      for (index s = 0; s < rows.active[k]; ++s, ++r) {
        const bool zero = none || (rows.resets && rows.resets[k * rows.batch + s]);
        w.c_prev_offsets[r] = zero ? -1 : (w.c_row(k) + s) * V;
      }
    }
    base::team::parallel_for(threads, shape.panels, 1, [&](index panel0, index panel1) {
      for (index p = panel0; p < panel1; ++p) {
        for (index begin = cached.begin; begin < cached.end; begin += kReductionRows) {
          for (index i = 0; i < G - 1; ++i) {
            const bool o = i == G - 2;
            kernels::ReduceRows<T> r{};
            r.rows = std::min(kReductionRows, cached.end - begin);
            r.a = w.gates + p * w.gate_panel_stride + begin * shape.kept_elements() +
                  (o ? G - 1 : i) * V;
            r.a_stride = shape.kept_elements();
            r.b = w.c + p * w.c_panel_stride + (o ? (rows.batch + begin) * V : 0);
            r.b_offsets = o ? nullptr : w.c_prev_offsets + begin;
            r.b_stride = V;
            r.out = dblock + shape.peephole_offset() + (p * (G - 1) + i) * V;
            kernel.reduce_rows(r);
          }
        }
      }
    });
  }

  void projection() const {
    const T* const block = nullptr;  // read for dx alone
    shape.projection().backward(
        block, cached.size(), {w.u + cached.begin * w.u_stride, nullptr, w.u_stride},
        {w.dv + cached.begin * w.dv_stride, nullptr, w.dv_stride}, {nullptr, nullptr, 0},
        dblock + shape.projection_offset(), false, w.projection_scratch);
  }
};

}  // namespace

template <class T>
void add_parameter_gradients(const LstmShape<T>& shape, const LstmCall<T>& call,
                             const LstmGradients<T>& d, T* dblock, Range steps, LstmWorkspace<T>& w,
                             base::team::Request threads) {
  const ParameterGradients<T> gradients{shape, call, d, dblock, steps, w};
  if (w.packed_gates) gradients.pack_tail();
  base::team::parallel_for(threads, w.column_tiles, 1, [&](index begin, index end) {
    gradients.weights({begin, end}, w.packed_columns + begin * w.packed_tile);
  });
  if (shape.options.peephole) gradients.peepholes(threads);
  if (shape.options.projection > 0) gradients.projection();
}

// Slots were summed over their steps by the kernel; here slots are added, in order.
template <class T>
void add_norm_gradients(const LstmShape<T>& shape, const LstmWorkspace<T>& w, T* dblock) {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index G = shape.gates, V = shape.lanes;
  const index vectors = 2 * G + 2;
  for (index p = 0; p < shape.panels; ++p) {
    for (index v = 0; v < vectors; ++v) {
      kernels::ReduceRows<T> r{};
      r.rows = w.rows.batch;
      r.a = w.dnorm + (p * vectors + v) * V;
      r.a_stride = shape.panels * vectors * V;
      r.out = dblock + (v < 2 * G ? shape.norm_z_offset() + (p * 2 * G + v) * V
                                  : shape.norm_c_offset() + (p * 2 + v - 2 * G) * V);
      kernel.reduce_rows(r);
    }
  }
}

template decltype(add_parameter_gradients<float>) add_parameter_gradients<float>;
template decltype(add_parameter_gradients<double>) add_parameter_gradients<double>;
template decltype(add_norm_gradients<float>) add_norm_gradients<float>;
template decltype(add_norm_gradients<double>) add_norm_gradients<double>;

}  // namespace lstmfast::ops
