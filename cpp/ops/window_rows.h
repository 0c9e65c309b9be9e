// The windows of a batch as the rows of a matrix, without a copy where they lie in memory as the
// product wants them. Knows the array and its windows, not what is multiplied with them.
#pragma once

#include <vector>

#include "base/split.h"
#include "kernels/args.h"
#include "ops/windows.h"

namespace lstmfast::ops {

// A sample is [y.size][x.size][channels]. A row holds the taps of a window, [y.taps][x.taps]
// [channels]; rows are numbered by sample, line of windows and window. They are at hand in blocks
// of some hundred: if windows reach into the padding, the block's part of the array is copied into
// a scratch with zeros around it. Neighbouring windows overlap there as in the array.
template <class T>
class WindowRows {
 public:
  // Where the result of a window lies: that of window i of line j of sample b is at
  // first + b * sample + j * y + i * x.
  struct Place {
    index first, sample, y, x;
  };
  // Either whole samples or some lines of one.
  struct Block {
    index sample, samples, line0, line1;
    index row, rows;
  };

  // How the array lies: elements from position to position, and from sample to sample.
  struct Source {
    index stride, sample;
  };
  void arrange(const kernels::Windows& y, const kernels::Windows& x, index channels,
               const Source& source, const Place& place);

  index windows() const { return y_.count * x_.count; }  // of a sample
  index depth() const { return y_.taps * x_.taps * channels_; }
  index scratch_size() const { return scratch_size_; }

  // What threads share: samples, or lines of windows if a sample fills a block; and how many of
  // them are worth a thread.
  index units(index batch) const { return samples_ > 1 ? batch : batch * y_.count; }
  index grain() const;
  // Calls f(block) for these units. Blocks of all units do not depend on the threads.
  template <class F>
  void for_blocks(base::Range units, F&& f) const {
    while (units.begin < units.end) {
      const Block block = first_block(units);
      f(block);
      units.begin += samples_ > 1 ? block.samples : block.line1 - block.line0;
    }
  }

  // The first element of a block, from which offsets() count; `scratch` has scratch_size()
  // elements.
  const T* load(const Block& block, const T* array, T* scratch) const;
  const index* offsets() const { return offsets_.data(); }

  // The rows of a block times what `product` has in place of B, into `result`.
  void multiply(kernels::Gemm<T> product, const Block& block, const T* loaded, T* result) const;

  // A row in memory: calls f(first column, columns, offset) for its runs.
  template <class F>
  void for_runs(F&& f) const {
    for (index i = 0, column = 0; i < calls_; ++i) {
      for (index j = 0; j < runs_; ++j, column += run_)
        f(column, run_, i * call_stride_ + j * run_stride_);
    }
  }

 private:
  Block first_block(base::Range units) const;
  index padded_lines(index lines) const { return (lines - 1) * y_.stride + span_of(y_); }
  void copy_lines(const T* sample, index top, index lines, T* to) const;
  void copy_line(const T* from, T* to) const;

  kernels::Windows y_{}, x_{};
  index channels_ = 0, stride_ = 0, sample_ = 0;
  Place place_{};
  bool whole_lines_ = false;       // x has no padding: blocks have lines as the array has
  index line_ = 0;                 // elements of a block's line
  index pitch_ = 0;                // of a block's sample
  index samples_ = 0, lines_ = 0;  // of the largest block
  index scratch_size_ = 0;
  // A row is `calls_` times `runs_` runs of `run_` elements.
  index run_ = 0, runs_ = 0, run_stride_ = 0, calls_ = 0, call_stride_ = 0;
  std::vector<index> offsets_, results_;  // of a block's rows and results
};

}  // namespace lstmfast::ops
