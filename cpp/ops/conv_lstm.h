// The convolutional LSTM over a whole sequence: the LSTM's cell at every output position, with
// convolutions of x and of h in place of its products. Knows no layers.
#pragma once

#include <vector>

#include "ops/convolution.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

// Shapes that do not change once there are parameters. The kernel and the recurrent kernel are
// packed as those of the LSTM, gates side by side, in a block each, with the taps of a window as
// rows; that of the recurrent kernel has no bias.
template <class T>
struct ConvLstmShape {
  index channels, filters;
  LinearShape<T> input, recurrent;

  // taps: of a window.
  ConvLstmShape(index channels, index filters, index taps);
  index panels() const { return input.panels; }
  index lanes() const { return input.lanes; }
  index row() const { return 4 * lanes(); }            // elements of a panel of gates
  index padded() const { return panels() * lanes(); }  // of a row of h
  // The rows of a packed block as a matrix with the columns of the gates.
  PartLayout with_gates(PartLayout part) const;
};

// One call's data; `cells` of a sample are its windows times the filters. A step whose mask is 0
// leaves the states as they are.
template <class T>
struct ConvLstmCall {
  const T *input, *recurrent;  // the packed blocks
  index batch;
  const T* x;                 // [batch][steps][positions][channels]
  const unsigned char* mask;  // [batch][steps], 1: real; null: all are
  bool reverse;               // from the last step of x to the first; y in the order of computation
  bool hold;                  // y of a masked step is that of the step before, else 0
  const T *h0, *c0;           // [batch][cells]; null: zeros
  T* y;                       // [batch][steps][cells], or with `last` [batch][cells]; null
  bool last;                  // y is that of the last step alone
  T *h_n, *c_n;               // [batch][cells]; null: not wanted
  LstmNoise noise;            // of x and h, one mask for all steps; only in training
};

template <class T>
struct ConvLstmGradients {
  T* dy;  // as y; overwritten; null: 0
  const T *dh_n, *dc_n;
  T *dx, *dh0, *dc0;       // overwritten; null: not wanted
  T *dinput, *drecurrent;  // += gradients of the blocks; null: not wanted
  bool bias;
};

// The memory and the plan of calls of one shape. Not shared between concurrent calls.
template <class T>
class ConvLstm {
 public:
  // What a plan is made for. y, x: the windows of x.
  struct Extent {
    kernels::Windows y, x;
    index steps, batch;  // the largest
    bool training;
    LstmNoise noise;  // rates alone
  };

  // Allocates. `cell` and `shape` must stay.
  void arrange(const ConvLstmShape<T>& shape, const CellOptions& cell, const Extent& extent);
  // training: keeps what backward() of the same call needs.
  void forward(const ConvLstmCall<T>& call, bool training);
  void backward(const ConvLstmCall<T>& call, const ConvLstmGradients<T>& gradients);

 private:
  index windows() const { return extent_.y.count * extent_.x.count; }
  index cells() const { return windows() * shape_->filters; }
  index sample() const { return extent_.y.size * extent_.x.size * shape_->channels; }
  index time(const ConvLstmCall<T>& call, index t) const {
    return call.reverse ? extent_.steps - 1 - t : t;
  }
  bool real(const ConvLstmCall<T>& call, index b, index t) const {
    return call.mask == nullptr || call.mask[b * extent_.steps + time(call, t)] != 0;
  }
  bool shows_last(const ConvLstmCall<T>& call, index b) const;
  // States of step t - 1 and gates of step t; outside of training there is one c and two h.
  T* h_at(index t) { return h_.data() + (keeps_ ? t : t % 2) * rows_ * shape_->padded(); }
  T* c_at(index t) { return c_.data() + (keeps_ ? t : 0) * rows_ * shape_->padded(); }
  T* z_at(index t) { return z_.data() + (keeps_ ? t : 0) * 4 * rows_ * shape_->padded(); }

  template <class F>
  void for_real(const ConvLstmCall<T>& call, index t, F&& f) const;
  template <class F>
  void for_masked(const ConvLstmCall<T>& call, index t, F&& f) const;
  template <class F>
  void for_rows(index row0, index row1, F&& f) const;
  template <class Step>
  void place(Step& step, base::Range rows, index t);
  void load(index batch, const T* logical, index panel, index row, T* padded) const;
  void store(index batch, const T* padded, index panel, index row, T* logical) const;
  void draw(const ConvLstmCall<T>& call);
  const T* dropped_h(index batch, index t);
  void step(const ConvLstmCall<T>& call, const T* x, index t);
  void step_backward(const ConvLstmCall<T>& call, const ConvLstmGradients<T>& d, const T* x,
                     index t);

  const ConvLstmShape<T>* shape_ = nullptr;
  const CellOptions* cell_ = nullptr;
  Extent extent_{};
  index rows_ = 0;      // windows of the largest batch
  bool keeps_ = false;  // memory for all steps
  bool drops_ = false;  // the running call is one of training
  Convolution<T> input_, recurrent_;
  base::Buffer<T> z_, c_, h_;  // [steps][panels][rows][4][V], [panels][rows][V],
                               // [rows][padded]
  base::Buffer<T> dh_, dc_;    // as one step of h_ and c_
  base::Buffer<T> x_mask_, x_, h_mask_, h_in_;
  std::vector<index> y_offsets_;  // of rows in y at the first step
};

}  // namespace lstmfast::ops
