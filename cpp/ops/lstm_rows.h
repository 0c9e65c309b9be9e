// Which row of a batch is at which step: slots, packed rows, and where their x and y lie. Knows no
// cell.
//
// Rows take slots by falling number of real steps, so that the rows still active at step k are
// slots 0 .. active[k]. Step k of a slot is the k-th of its real steps in the direction of the
// call, at time position(packed row). A "packed row" counts (step, slot) pairs in that order: step
// k starts at packed row first_row[k].
#pragma once

#include <array>

#include "base/arena.h"
#include "ops/lstm.h"

namespace lstmfast::ops {

template <class T>
class LstmRows {
 public:
  // Lays out the rows of a call by its lengths, mask and direction. Allocates nothing once warm,
  // and does nothing for whole rows with the sizes and strides of the call before.
  void order(const LstmCall<T>& call);

  // Writes the steps of y, cells or dx that are not real, in an array of `width` elements a step:
  // 0, or with `hold` those of the step before. Null: nothing.
  void fill_padding(const LstmCall<T>& call, T* all, index row, index step, index width,
                    bool hold) const;

  // out [total][width]: the gradient of each packed row's output, summed with those of the steps
  // that hold it, in the order of the call. d is laid out as y or cells, with strides `row`,
  // `step`.
  void gather_held(const LstmCall<T>& call, const T* d, index row, index step, index width,
                   T* out) const;

  index steps;               // the largest number of real steps
  index batch, total;        // total: real (step, row) pairs
  index* slot_row;           // [B] batch row of a slot
  index* slot_length;        // [B] its real steps
  index* active;             // [steps + 1] slots at a step; 0 after the last
  index* first_row;          // [steps + 1]
  index* x_offsets;          // [total] in elements, of a packed row; y and cells alike
  index* y_offsets;          //
  index* cells_offsets;      // null unless wanted
  index* positions;          // [total] time of a packed row
  unsigned char* resets;     // [steps][B] by slot: cleared before that step; null without resets
  unsigned char* any_reset;  // [steps]
  bool padded;               // whether some steps of some rows are not real

  // [B] by slot, 1: cleared before step k; null: none is.
  const unsigned char* reset_at(index k) const {
    return resets && k < steps && any_reset[k] ? resets + k * batch : nullptr;
  }

 private:
  void place(const LstmCall<T>& call);

  base::Arena arena_;
  // Sizes and strides of the call that is laid out, if all its rows are whole and without resets;
  // else begins with -1.
  std::array<index, 10> whole_rows_{-1};
};

}  // namespace lstmfast::ops
