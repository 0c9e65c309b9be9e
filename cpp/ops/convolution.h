// Convolutions as products of packed weights with windows, their gradients, on the thread team.
// Knows no layers.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "ops/linear.h"
#include "ops/window_rows.h"

namespace lstmfast::ops {

// How the arrays of a convolution lie.
struct ConvolutionArrays {
  index stride;  // of x and dx: elements from position to position, and from sample to sample
  index sample;
  // 0: the panels of a row of z and dz are neighbours. Else each panel has an array of its own,
  // [batch][windows][groups][lanes], so many elements apart, and outputs fill their panels.
  index panel = 0;
};

// y = activation(b + the taps of a window x W), for every window: x [batch][y.size][x.size]
// [channels], y [batch][y.count][x.count][outputs]. The rows of W are numbered as those of
// WindowRows. Results do not depend on the threads.
template <class T>
class Convolution {
 public:
  // Plans for arrays of one shape: allocates. `training`: backward will be called.
  void arrange(const LinearShape<T>& weights, const kernels::Windows& y, const kernels::Windows& x,
               index channels, const ConvolutionArrays& arrays, bool training);
  void arrange(const LinearShape<T>& weights, const kernels::Windows& y, const kernels::Windows& x,
               index channels, bool training) {
    arrange(weights, y, x, channels, {channels, y.size * x.size * channels}, training);
  }

  // z: b + the product; may be y.
  void forward(const T* block, index batch, const T* x, T* z, const ActivationSpec& activation,
               T* y);
  // z += the product.
  void accumulate(const T* block, index batch, const T* x, T* z);
  // Before calls of backward() that want dx, each time that the block has changed.
  void transpose(const T* block);
  // dz [batch][windows][weights.padded_outputs()], zeros after the outputs. dblock += gradients of
  // the block; dx is overwritten; either may be null: not wanted.
  void backward(index batch, const T* x, const T* dz, T* dx, T* dblock, bool bias);

 private:
  // dx by phases of both axes: a product of windows of dz with the transposed weights of the
  // phase's taps.
  struct Part {
    WindowRows<T> rows;
    Transposed<T> weights;    // of a slab of dz
    std::vector<index> taps;  // of W, in the order in which windows of dz meet them
    index first = 0;          // element of the scratch at which its weights begin, slab by slab
  };
  // An array of neighbouring outputs of dz: all of them, or a panel.
  struct Slabs {
    index count, outputs, padded;
  };
  Slabs slabs() const {
    const index panel = weights_.groups * weights_.lanes;
    if (arrays_.panel > 0) return {weights_.panels, panel, panel};
    return {1, weights_.outputs, weights_.padded_outputs()};
  }

  // Of all rows of W, for scatter_input_gradient().
  Transposed<T> all_transposed() const {
    return {weights_.inputs, weights_.padded_outputs(), weights_.lanes};
  }
  void add_part(const Phase& y, const Phase& x);
  void clear(index batch, T* dx) const;
  template <class F>
  void multiply(kernels::Gemm<T> product, index batch, const T* x, T* z, F&& finish);
  void input_gradient(index batch, const T* dz, T* dx);
  void scatter_input_gradient(index batch, const T* dz, T* dx);
  void add_weight_gradients(index batch, const T* x, const T* dz, T* dblock, bool bias);
  template <class F>
  void share(const WindowRows<T>& rows, index batch, double flops_of_row, F&& f);

  LinearShape<T> weights_{1, 1};
  kernels::Windows y_{}, x_{};
  index channels_ = 0;
  ConvolutionArrays arrays_{};
  WindowRows<T> rows_;
  std::vector<Part> parts_;
  bool reaches_all_ = true;  // whether every position of x is a tap of some window
  // Whether windows are so large that most of those of dz would be padding: then dx is a sum of dz
  // times W, row by row.
  bool scatters_ = false;
  base::Buffer<T> blocks_;  // scratch of each thread
  LinearScratch<T> scratch_;
};

}  // namespace lstmfast::ops
