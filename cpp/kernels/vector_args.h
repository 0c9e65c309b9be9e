// The contracts of the element-wise and row-wise kernels: activations, losses, metrics, optimizers.
//
// "May be" names the only aliasing allowed. Rows of a matrix start `..._stride` elements apart;
// after `columns` nothing is read or written.
#pragma once

#include <stdint.h>

#include "kernels/args.h"
#include "kernels/windows.h"

namespace lstmfast::kernels {

// y[i] = activation(x[i]); y may be x. Not softmax.
template <class T>
struct Map {
  ActivationSpec activation;
  index count;
  const T* x;
  T* y;
};

// dx[i] = dy[i] * (d activation / d x) with kept[i] = x[i] where needs_input(activation), else
// y[i]; dx may be dy or kept. Not softmax.
template <class T>
struct MapBackward {
  ActivationSpec activation;
  index count;
  const T* kept;
  const T* dy;
  T* dx;
};

// y[j] = exp(x[j] - max) / sum along each row; y may be x with the same stride.
template <class T>
struct Softmax {
  index rows, columns;
  const T* x;
  index x_stride;
  T* y;
  index y_stride;
};

// dx[j] = y[j] (dy[j] - sum of dy y along the row); dx may be dy or y with the same stride.
template <class T>
struct SoftmaxBackward {
  index rows, columns;
  const T* y;
  index y_stride;
  const T* dy;
  index dy_stride;
  T* dx;
  index dx_stride;
};

enum class PointwiseOp : int {
  axpy,      // y += p a
  signs,     // y += p where a is positive, y += q where it is negative
  scale,     // y = p a
  add,       // y = a + b
  multiply,  // y = a b
  clamp,     // y = a limited to p .. q; NaN stays NaN
  mix,       // y = p y + q a
  affine,    // y = (a - p) b + q
};

// y may be a or b.
template <class T>
struct Pointwise {
  PointwiseOp op;
  index count;
  T p, q;
  const T* a;
  const T* b;
  T* y;
};

enum class ReduceOp : int {
  sum,
  squares,  // of factor x
  magnitudes,
  zeros,  // of 0 x: 0, or NaN when an element is infinite or NaN
};

template <class T>
struct Reduce {
  ReduceOp op;
  index count;
  T factor;
  const T* x;
  double* total;  // out
};

// Rows of a loss: total = sum over the elements (or rows) of the loss; gradient = scale * d total /
// d prediction.
template <class T>
struct LossRows {
  index rows, columns;
  const T* prediction;  // [rows][columns]
  index prediction_stride;
  const T* target;  // [rows][columns], or as many columns as the loss says; with `labels` one whole
                    // number of 0 .. columns - 1 a row
  index target_stride;
  bool labels;          // categorical and softmax cross-entropy only
  const T* parameters;  // what they are is the loss's, next to its kernel
  index steps;          // consecutive rows of one sample, for losses of whole signals
  T scale;              // of gradients
  const T* weights;     // [rows] factors of a row's loss and gradient; 0: the row is skipped; may
                        // be null
  T* gradient;          // [rows][columns]; may be null
  index gradient_stride;
  T* output;  // sigmoid and softmax cross-entropy: activated prediction; may be prediction; may be
              // null
  index output_stride;
  double* total;  // out
};

// What the second half of a prediction of the Gaussian likelihood is.
enum class Spread : int { deviation, variance, log_variance };

enum class MatchKind : int {
  binary,  // elements: (prediction > threshold) == target
  dense,   // rows: the first greatest of prediction and of target stand in the same column
  labels,  // rows: the first greatest of prediction stands in the column that target[row *
           // target_stride] names
};

template <class T>
struct Matches {
  MatchKind kind;
  index rows, columns;
  const T* prediction;
  index prediction_stride;
  const T* target;
  index target_stride;
  T threshold;
  const T* weights;  // [rows]; may be null
  double* total;     // out: elements or rows that match, each by the weight of its row
};

// The greatest element of each window, or the mean of its elements, channel by channel, for lines
// line0 .. line1 - 1 of the windows of a sample. Padding does not count, and no window is padding
// alone. Of equal elements the first is the greatest; a NaN is greater than all.
template <class T>
struct Pool {
  bool maximum;
  Windows y, x;  // of dilation 1
  index channels, line0, line1;
  const T* in;                // [y.size][x.size][channels]
  const unsigned char* mask;  // of means: [y.size][x.size], 0: does not count; null: all do
  T* out;                     // [y.count][x.count][channels]
};

// din += the gradient, by that of the result, for all lines; the result itself is read for maxima
// alone.
template <class T>
struct PoolBackward {
  Pool<T> forward;
  const T* dout;
  T* din;
};

constexpr int kMaxSlots = 3, kMaxFactors = 5;

// A step of an optimizer, over elements of all arrays alike. What slots and factors are is the
// optimizer's, in impl/optimizers.inl; what it does not use is null or 0. Before the step the
// parameters are multiplied by `decay`.
template <class T>
struct Update {
  index count;
  T* parameters;
  const T* gradients;
  T* slots[kMaxSlots];
  T factors[kMaxFactors];
  T decay;
};

// Rows of random choices: element j of a row is `dropped` where word j % 4 of Philox 4x32-10 with
// counter {low(j / 4), high(j / 4), row number, time} lies below `drop_below`, else `kept`.
template <class T>
struct RandomMask {
  uint32_t key[2];
  uint64_t drop_below;  // 0 .. 2^32
  T dropped, kept;
  index rows, units;
  const index* row_numbers;  // [rows]; null: first_row, first_row + 1, ...
  index first_row;
  const index* times;  // [rows]; null: `time` for all
  index time;
  T* mask;  // [rows][units], rows `stride` apart; units up to `padded` become 0
  index stride, padded;
};

}  // namespace lstmfast::kernels
