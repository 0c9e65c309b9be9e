// Convolutions as products of packed weights with windows, their gradients, on the thread team.
// Knows no layers.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "ops/linear.h"
#include "ops/window_rows.h"

namespace lstmfast::ops {

// y = activation(b + the taps of a window x W), for every window: x [batch][y.size][x.size]
// [channels], y [batch][y.count][x.count][outputs]. The rows of W are numbered as those of
// WindowRows. Results do not depend on the threads.
template <class T>
class Convolution {
 public:
  // Plans for arrays of one shape: allocates. `training`: backward will be called.
  void arrange(const LinearShape<T>& weights, const kernels::Windows& y, const kernels::Windows& x,
               index channels, bool training);

  // z: b + the product; may be y.
  void forward(const T* block, index batch, const T* x, T* z, const ActivationSpec& activation,
               T* y);
  // dz [batch][windows][weights.padded_outputs()], zeros after the outputs. dblock += gradients of
  // the block; dx is overwritten; either may be null: not wanted.
  void backward(const T* block, index batch, const T* x, const T* dz, T* dx, T* dblock, bool bias);

 private:
  // dx by phases of both axes: a product of windows of dz with the transposed weights of the
  // phase's taps.
  struct Part {
    WindowRows<T> rows;
    Transposed<T> weights;
    std::vector<index> taps;  // of W, in the order in which windows of dz meet them
    index first = 0;          // element of the scratch at which its weights begin
  };

  void add_part(const Phase& y, const Phase& x);
  void clear(index batch, T* dx) const;
  void input_gradient(const T* block, index batch, const T* dz, T* dx);
  void scatter_input_gradient(const T* block, index batch, const T* dz, T* dx);
  void add_weight_gradients(index batch, const T* x, const T* dz, T* dblock, bool bias);
  template <class F>
  void share(const WindowRows<T>& rows, index batch, double flops_of_row, F&& f);

  LinearShape<T> weights_{1, 1};
  kernels::Windows y_{}, x_{};
  index channels_ = 0;
  WindowRows<T> rows_;
  std::vector<Part> parts_;
  bool reaches_all_ = true;  // whether every position of x is a tap of some window
  // Whether windows are so large that most of those of dz would be padding: then dx is a sum of dz
  // times W, row by row.
  bool scatters_ = false;
  base::Buffer<T> arrays_;  // scratch of each thread
  LinearScratch<T> scratch_;
};

}  // namespace lstmfast::ops
