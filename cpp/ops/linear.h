// y = b + x W over rows, and its gradients, on packed panels and the thread team. Knows no layers.
#pragma once

#include <optional>

#include "base/buffer.h"
#include "base/team.h"
#include "kernels/args.h"
#include "ops/panels.h"
#include "ops/reduced.h"

namespace lstmfast::ops {

// A transposed packed matrix: its `columns` logical rows as panels of `nr` vectors.
template <class T>
struct Transposed {
  index columns = 0;
  int nr = 1;
  index panels = 0, width = 0, panel_stride = 0;  // width: of a panel, in elements

  // depth: padded elements of a logical row; parts: threads that need a panel each.
  Transposed(index columns, index depth, index lanes, index parts = 1);
  index size() const { return panels * panel_stride; }
  // from: the packed matrix.
  void fill(const kernels::TransposePanels<T>& from, base::team::Request threads, T* out) const;
  // The product of rows of `depth` elements with this matrix, without the rows and the result.
  kernels::Gemm<T> product(const T* transposed, index depth) const;
};

// Rows of a matrix in memory: row r at data + (offsets ? offsets[r] : r * stride).
template <class T>
struct Rows {
  T* data;
  const index* offsets;
  index stride;
};

// Scratch of backward: transposed panels and packed columns. Grows, never shrinks. Each caller has
// its own.
template <class T>
struct LinearScratch {
  base::Buffer<T> transposed, columns;
};

// Shapes of one packed linear map. The packed block is [panel][1 + inputs][groups][lanes]; in
// reduced precision it is the biases alone, [panel][groups][lanes], and W lies elsewhere: see
// reduced().
template <class T>
struct LinearShape {
  index inputs, outputs;
  int groups;  // vectors a panel, 1 to 4
  index lanes, panels;
  Precision precision;

  LinearShape(index inputs, index outputs, Precision precision = Precision::full);
  index size() const;  // elements of the packed block
  PartLayout kernel() const;
  PartLayout bias() const;
  // x W for the packed W of a block, without its rows, x and the result.
  kernels::Gemm<T> product(const T* block) const;
  // What Transposed::fill() takes for the W of a block.
  kernels::TransposePanels<T> panels_of(const T* block) const;
  index padded_outputs() const { return panels * groups * lanes; }
  double flops(index rows) const { return 2.0 * double(rows) * double(inputs) * double(outputs); }
  ReducedMatrix reduced() const { return {precision, kernel()}; }

  // Elements of room for columns of W, of which a product with few outputs can be made as dot
  // products: its panels would be padding for the most part, and its sums, one term after the
  // other, chains that a single row waits for. 0 where it cannot.
  index columns_size() const {
    const bool can = outputs <= kernels::kMostDots && precision != Precision::int8;
    return can ? outputs * kernels::dot_terms(inputs) : 0;
  }

  // y = b + x W, or with `accumulate` y += x W. reduced: operand() of reduced(). columns: room of
  // columns_size(), of which dot products are made, in another order of sums; null: they are not.
  void forward(const T* block, index rows, Rows<const T> x, Rows<T> y, bool accumulate = false,
               const kernels::Reduced& reduced = {}, T* columns = nullptr) const;
  // b + x W in the order of forward(), where it is for the caller's thread alone. `columns` must
  // outlive it and holds the weights of this moment.
  std::optional<kernels::Gemm<T>> product_alone(const T* block, index rows, Rows<const T> x,
                                                Rows<T> y, const kernels::Reduced& reduced,
                                                T* columns = nullptr) const;
  // dblock += gradients of the block; dx is overwritten; either may be null: not wanted. Where
  // dblock is wanted, dy has no offsets and a row stride >= padded_outputs(), with zeros after
  // `outputs`: gradient tiles read whole vectors.
  void backward(const T* block, index rows, Rows<const T> x, Rows<const T> dy, Rows<T> dx,
                T* dblock, bool bias, LinearScratch<T>& scratch) const;
  // Reserves what backward() of up to `rows` rows without dx needs, so that it allocates nothing.
  void reserve_columns(index rows, LinearScratch<T>& scratch) const;

 private:
  kernels::Gemm<T> biased(const T* block, Rows<const T> x, Rows<T> y,
                          const kernels::Reduced& reduced, T* columns) const;
  index panel_stride() const {
    return (precision == Precision::full ? 1 + inputs : 1) * groups * lanes;
  }
};

}  // namespace lstmfast::ops
