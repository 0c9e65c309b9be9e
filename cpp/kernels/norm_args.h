// The contracts of the kernels of normalising layers, and of piecewise linear ones with weights.
//
// "May be" names the only aliasing allowed. Matrices are contiguous.
#pragma once

#include <stdint.h>

#include "kernels/args.h"

namespace lstmfast::kernels {

// What z is, with means over a row x.
enum class RowNorm : int {
  layer,     // (x - mean(x)) / sqrt(var + epsilon), var = mean((x - mean(x))^2)
  variance,  // x / sqrt(var + epsilon)
  rms,       // x / sqrt(mean(x^2) + epsilon)
  unit,      // x / max(|x|, epsilon), epsilon > 0
};

// y = gamma z + beta
template <class T>
struct NormaliseRows {
  RowNorm kind;
  index rows, columns;
  T epsilon;
  const T* gamma;  // [columns]; null: 1
  const T* beta;   // [columns]; null: 0
  const T* x;      // [rows][columns]
  T* y;            // [rows][columns]; may be x
  T* stats;        // [rows][2] out: the mean where z needs it, else 0; the factor of x in z
};

// dx for the same rows.
template <class T>
struct NormaliseRowsBackward {
  RowNorm kind;
  index rows, columns;
  T epsilon;
  const T* gamma;  // as above
  const T* x;
  const T* stats;
  const T* dy;
  T* dx;  // may be dy
};

enum class ColumnSum : int {
  values,     // x
  squares,    // (x - center)^2
  products,   // two sums: dy (x - center), and dy
  of_rows,    // two sums: dy z, and dy; z as NormaliseRows with `stats` has it
  negatives,  // dy min(x, 0)
};

// Sums over the rows of a matrix, one for each column, always in the same order.
template <class T>
struct ColumnSums {
  ColumnSum op;
  index rows, columns;
  const T* x;                           // [rows][columns]
  const T* dy = nullptr;                // [rows][columns], of the last three
  const unsigned char* mask = nullptr;  // [rows], 0: the row does not count; null: all do
  const T* center = nullptr;            // [columns]
  const T* stats = nullptr;             // [rows][2]
  bool centered = false;                // of z: RowNorm::layer
  double* sums = nullptr;               // [1 or 2][columns] out
};

// y = (x - center) factor + shift
template <class T>
struct NormaliseColumns {
  index rows, columns;
  const T* x;  // [rows][columns]
  T* y;        // [rows][columns]; may be x
  const T* center;
  const T* factor;
  const T* shift;  // null: 0
};

// dx = factor (dy - mean - (x - center) slope); the last two only in rows that the mask leaves.
template <class T>
struct NormaliseColumnsBackward {
  index rows, columns;
  const T* x;
  const T* dy;
  T* dx;                                // may be dy
  const unsigned char* mask = nullptr;  // [rows]; null: all rows
  const T* center = nullptr;
  const T* factor = nullptr;
  const T* mean = nullptr;  // null, with slope: both are 0
  const T* slope = nullptr;
};

// y = x above `threshold`, at most `most`; below it (x - threshold) times a factor.
template <class T>
struct Rectify {
  index rows, columns;
  T threshold, most, factor;
  const T* factors;  // [columns], in place of `factor`; null: that one
  const T* x;        // [rows][columns]
  T* y;              // [rows][columns]; may be x
};

// dx = dy d y / d x, which is 0 at the threshold and from `most` on.
template <class T>
struct RectifyBackward {
  Rectify<T> forward;  // y is not used
  const T* dy;
  T* dx;  // may be dy
};

}  // namespace lstmfast::kernels
