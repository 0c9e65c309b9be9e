// Weights in reduced precision: elements as files hold them, [rows][columns] of bfloat16 or int8,
// and packed for the kernels. Knows no layers.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/table.h"
#include "ops/panels.h"

namespace lstmfast::ops {

// A matrix in reduced precision as files hold it.
struct ReducedElements {
  std::vector<unsigned char> bytes;  // [rows][columns] of bfloat16 or int8
  std::vector<float> scales;         // of int8: [columns]
};

// A matrix in reduced precision, packed as in kernels::Reduced.
struct ReducedMatrix {
  // The most rows: longer sums of int8 might overflow.
  static constexpr index kMaxRows = 1 << 16;

  Precision precision = Precision::full;
  PartLayout layout{};  // of it where columns lie counts: panels, groups, lanes

  explicit operator bool() const { return precision != Precision::full; }
  index bytes() const { return layout.panels * panel_bytes(); }  // packed

  ReducedElements zeros() const;
  void pack(const ReducedElements& elements, unsigned char* out) const;  // out: zeros
  ReducedElements unpack(const unsigned char* block) const;

  // B of products with up to `rows` rows, which need scratch of room(rows) bytes; the sums are
  // scaled.
  kernels::Reduced operand(const unsigned char* block, unsigned char* scratch, index rows) const;
  index room(index rows) const;

  // Numbers [rows][columns] to elements, and back. scales: of int8.
  ReducedElements reduce(const float* numbers, const std::vector<float>& scales) const;
  void widen(const ReducedElements& elements, float* numbers) const;
  // Packed bfloat16 to numbers [columns][rows], columns `stride` apart.
  void widen_columns(const unsigned char* block, index stride, float* numbers) const;

 private:
  index element_bytes() const { return precision == Precision::bfloat16 ? 2 : 1; }
  index elements() const { return layout.rows * layout.columns; }
  index width() const { return layout.groups * layout.lanes; }
  index group() const;  // rows of a group
  index panel_bytes() const;
  template <class F>
  void for_each(F f) const;
};

// Throws for a matrix that cannot be packed.
void check_reduced(const ReducedMatrix& matrix);

// The scales of int8 for matrices of `rows[i]` rows that have one set of columns.
struct Floats {
  index rows;
  const float* data;
};
std::vector<float> scales_of(const std::vector<Floats>& matrices, index columns);

// The kernel of such a product, in reduced precision or not.
template <class T>
auto product_kernel(const kernels::Gemm<T>& g) -> void (*)(const kernels::Gemm<T>&) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (g.reduced.precision != Precision::full) return kernels::reduced_table().product;
  }
  return kernels::table<T>().gemm;
}
template <class T>
void multiply(const kernels::Gemm<T>& g) {
  product_kernel(g)(g);
}

}  // namespace lstmfast::ops
