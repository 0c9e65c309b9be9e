#include "ops/linear.h"

#include <algorithm>

#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/plan.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

constexpr index kRowGrain = 8;  // whole tiles

// Runs a product of `rows` rows and `flops`, whose rows are shared among threads.
template <class T>
void share_rows(const kernels::Gemm<T>& product, index rows, double flops) {
  base::team::parallel_for(
      threads_for(flops, rows / kRowGrain), rows, kRowGrain, [&](index begin, index end) {
        base::InterruptPoint point;
        kernels::Gemm<T> part = product;
        point.in_blocks({begin, end}, flops / double(rows), [&](base::Range r) {
          part.row0 = r.begin;
          part.row1 = r.end;
          multiply(part);
        });
      });
}

// Rows of a are read, rows of c written.
template <class T>
void connect(kernels::Gemm<T>& g, const Rows<const T>& a, const Rows<T>& c) {
  g.a = a.data;
  g.a_offsets = a.offsets;
  g.a_stride = a.stride;
  g.c = c.data;
  g.c_offsets = c.offsets;
  g.c_stride = c.stride;
}

}  // namespace

template <class T>
LinearShape<T>::LinearShape(index inputs_, index outputs_, Precision precision_)
    : inputs(inputs_), outputs(outputs_), lanes(kernels::table<T>().lanes), precision(precision_) {
  groups = panel_vectors(outputs, lanes);
  panels = (outputs + groups * lanes - 1) / (groups * lanes);
}

template <class T>
index LinearShape<T>::size() const {
  return panels * panel_stride();
}

template <class T>
PartLayout LinearShape<T>::kernel() const {
  const index row = groups * lanes;
  return {inputs, outputs, groups, outputs, row, panels, panel_stride(), row, lanes, false};
}

template <class T>
PartLayout LinearShape<T>::bias() const {
  const index row = groups * lanes;
  return {1, outputs, groups, outputs, 0, panels, panel_stride(), row, lanes, false};
}

template <class T>
kernels::Gemm<T> LinearShape<T>::product(const T* block) const {
  const index row = groups * lanes;
  kernels::Gemm<T> g{};
  g.panel1 = panels;
  g.nr = groups;
  g.segments = 1;
  g.segment = inputs;
  g.b = block + row;
  g.b_panel_stride = panel_stride();
  g.c_panel_stride = row;
  g.columns = outputs;
  return g;
}

template <class T>
kernels::TransposePanels<T> LinearShape<T>::panels_of(const T* block) const {
  kernels::TransposePanels<T> t{};
  t.panels = panels;
  t.gates = groups;
  t.w_row = groups * lanes;
  t.w = block + groups * lanes;
  t.w_panel_stride = (1 + inputs) * groups * lanes;
  return t;
}

template <class T>
Transposed<T>::Transposed(index columns_, index depth, index lanes, index parts)
    : columns(columns_) {
  if (columns == 0) return;
  nr = panel_vectors(columns, lanes, parts);
  width = nr * lanes;
  panels = (columns + width - 1) / width;
  panel_stride = depth * width;
}

template <class T>
void Transposed<T>::fill(const kernels::TransposePanels<T>& from, base::team::Request threads,
                         T* out) const {
  base::team::parallel_for(threads, panels, 1, [&](index begin, index end) {
    kernels::TransposePanels<T> part = from;
    part.k = columns;
    part.nr = nr;
    part.out = out;
    part.out_panel_stride = panel_stride;
    part.q0 = begin;
    part.q1 = end;
    kernels::table<T>().transpose_panels(part);
  });
}

template <class T>
kernels::Gemm<T> Transposed<T>::product(const T* transposed, index depth) const {
  kernels::Gemm<T> g{};
  g.panel1 = panels;
  g.nr = nr;
  g.segments = 1;
  g.segment = depth;
  g.b = transposed;
  g.b_panel_stride = panel_stride;
  g.c_panel_stride = width;
  g.columns = columns;
  return g;
}

// b + x W without its rows.
template <class T>
kernels::Gemm<T> LinearShape<T>::biased(const T* block, Rows<const T> x, Rows<T> y,
                                        const kernels::Reduced& reduced_, T* columns) const {
  kernels::Gemm<T> g = product(block);
  connect(g, x, y);
  g.bias = block;
  g.bias_panel_stride = g.b_panel_stride;
  g.reduced = reduced_;
  if (columns == nullptr || columns_size() == 0) return g;
  const index terms = kernels::dot_terms(inputs);
  std::fill_n(columns, columns_size(), T(0));
  g.columns_of_b = columns;
  g.reduced = {};
  if constexpr (sizeof(T) == sizeof(float)) {
    if (reduced()) {
      reduced().widen_columns(reduced_.panels, terms, columns);
      return g;
    }
  }
  for (index k = 0; k < inputs; ++k) {
    const T* const row = block + (1 + k) * groups * lanes;
    for (index n = 0; n < outputs; ++n) columns[n * terms + k] = row[n];
  }
  return g;
}

template <class T>
void LinearShape<T>::forward(const T* block, index rows, Rows<const T> x, Rows<T> y,
                             bool accumulate, const kernels::Reduced& reduced_, T* columns) const {
  LF_ASSERT(!accumulate || columns == nullptr);
  kernels::Gemm<T> g = biased(block, x, y, reduced_, columns);
  if (accumulate) g.bias = nullptr;
  g.accumulate = accumulate;
  share_rows(g, rows, flops(rows));
}

template <class T>
std::optional<kernels::Gemm<T>> LinearShape<T>::product_alone(const T* block, index rows,
                                                              Rows<const T> x, Rows<T> y,
                                                              const kernels::Reduced& reduced_,
                                                              T* columns) const {
  if (threads_for(flops(rows), rows / kRowGrain).threads > 1) return {};
  kernels::Gemm<T> g = biased(block, x, y, reduced_, columns);
  g.row1 = rows;
  return g;
}

template <class T>
void LinearShape<T>::reserve_columns(index rows, LinearScratch<T>& scratch) const {
  const int mr = kernels::table<T>().tile_rows[groups];
  const index tiles = (1 + inputs + mr - 1) / mr;
  scratch.columns.reserve(tiles * mr * std::min(rows, kReductionRows));
}

template <class T>
void LinearShape<T>::backward(const T* block, index rows, Rows<const T> x, Rows<const T> dy,
                              Rows<T> dx, T* dblock, bool bias, LinearScratch<T>& scratch) const {
  const kernels::Table<T>& kernel = kernels::table<T>();
  const index row = groups * lanes, panel = (1 + inputs) * row;
  const double flops = this->flops(rows);
  const auto address = [](const Rows<const T>& m, index r) {
    return m.data + (m.offsets ? m.offsets[r] : r * m.stride);
  };

  if (dx.data) {
    const Transposed<T> transposed(inputs, padded_outputs(), lanes);
    scratch.transposed.reserve(transposed.size());
    transposed.fill(panels_of(block), 1, scratch.transposed.data());
    kernels::Gemm<T> g = transposed.product(scratch.transposed.data(), outputs);
    connect(g, dy, dx);
    share_rows(g, rows, flops);
  }
  if (dblock == nullptr) return;

  const int mr = kernel.tile_rows[groups];
  const index k = 1 + inputs, tiles = (k + mr - 1) / mr;
  const index block_rows = std::min(rows, kReductionRows);
  reserve_columns(rows, scratch);
  base::team::parallel_for(threads_for(flops, tiles), tiles, 1, [&](index tile0, index tile1) {
    const T one = 1;
    const T* ones[kReductionRows];
    const T* x_rows[kReductionRows];
    std::fill_n(ones, kReductionRows, bias ? &one : nullptr);
    base::InterruptPoint point;
    for (index begin = 0; begin < rows; begin += kReductionRows) {
      const index count = std::min(kReductionRows, rows - begin);
      for (index r = 0; r < count; ++r) x_rows[r] = address(x, begin + r);
      const ColumnSource<T> sources[] = {{0, 1, ones}, {1, inputs, x_rows}};
      WeightGradient<T> g{};
      g.sources = sources;
      g.source_count = 2;
      g.k = k;
      g.rows = count;
      g.tile0 = tile0;
      g.tile1 = tile1;
      g.panels = panels;
      g.nr = groups;
      g.dz = address(dy, begin);
      g.dz_panel_stride = row;
      g.dz_row_stride = dy.stride;
      g.dw = dblock;
      g.dw_panel_stride = panel;
      g.dw_row_stride = row;
      g.packed = scratch.columns.data() + tile0 * mr * block_rows;
      add_weight_gradient(g);
      point.pass(flops / double(rows) * double(count) / double(tiles) * double(tile1 - tile0));
    }
  });
}

template struct LinearShape<float>;
template struct LinearShape<double>;
template struct Transposed<float>;
template struct Transposed<double>;

}  // namespace lstmfast::ops
