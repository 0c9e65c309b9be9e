#include "ops/lstm_step.h"

#include <algorithm>

#include "ops/lstm_products.h"
#include "ops/lstm_steps.h"

namespace lstmfast::ops {

template <class T>
bool LstmStep<T>::fits(const LstmShape<T>& shape) {
  const CellOptions& o = shape.options;
  return !o.layer_norm && o.projection == 0 && !finishes_h(o) && !shape.two_phases();
}

template <class T>
LstmStep<T>::LstmStep(const LstmShape<T>& shape, const T* block, const unsigned char* reduced,
                      index rows, const LstmStepArrays<T>& arrays)
    : shape_(shape), rows_(rows), arrays_(arrays) {
  const index V = shape.lanes, H = shape.hidden;
  step_ = step_of(shape, block, {0, shape.panels});
  step_.row1 = rows;
  // Whole vectors of y and cells: what reads them next finds them as they were stored.
  if (rows == 1) step_.hidden = shape.panels * V;
  offsets_.resize(2 * rows);
  index* const of_h = offsets_.data() + rows;
  for (index r = 0; r < rows; ++r) {
    offsets_.data()[r] = r * shape.input;
    of_h[r] = r * H;
  }
  step_.x = arrays.x;
  step_.x_offsets = offsets_.data();
  step_.h_prev = arrays.h;
  step_.h_prev_stride = H;
  step_.h_stride = shape.panels * V;
  const bool together = shape.whole_panels() <= kernels::kTogether || shape.is_reduced();
  if (rows > 1 || !together) made_h_.resize(rows * step_.h_stride);
  step_.h = made_h_.data() != nullptr ? made_h_.data() : arrays.h;
  step_.y = arrays.y;
  step_.cells = arrays.cells;
  step_.y_offsets = step_.cells_offsets = of_h;
  fill_clip_values(shape.options, clip_values_);
  step_.cell = cell_params(shape, block, clip_values_);
  if (!shape.is_reduced()) {
    kernels::table<T>().step_function({&step_, &kernel_});
  } else {
    step_.z_panel_stride = rows * shape.kept_elements();
    z_.resize(shape.panels * step_.z_panel_stride);
    step_.z = z_.data();
    scratch_.resize(reduced_room(shape, rows, rows));
    set_reduced(shape, reduced, scratch_.data(), rows, rows, step_);
  }
  if (!shape.has_c()) return;
  // The panels of a single row are the row itself. What a cell without c calls so is a copy of h,
  // which is read by all panels and so cannot be overwritten by the first.
  T* const state = shape.c_is_h() ? arrays.h : arrays.c;
  const bool in_place = rows == 1;
  if (!in_place || shape.c_is_h()) c_.resize(shape.panels * rows * V);
  if (!in_place) c_panels_ = c_.data();
  step_.c_prev = in_place ? state : c_panels_;
  step_.c = c_.data() != nullptr ? c_.data() : state;
  step_.c_prev_panel_stride = step_.c_panel_stride = rows * V;
}

template <class T>
void LstmStep<T>::move_c(bool in) const {
  const index V = shape_.lanes, H = shape_.hidden;
  T* const state = shape_.c_is_h() ? arrays_.h : arrays_.c;
  for (index r = 0; r < rows_; ++r) {
    for (index p = 0; p < shape_.panels; ++p) {
      T* const packed = c_panels_ + (p * rows_ + r) * V;
      T* const plain = state + r * H + p * V;
      std::copy_n(in ? plain : packed, std::min(V, H - p * V), in ? packed : plain);
    }
  }
}

template <class T>
void LstmStep<T>::run() {
  if (c_panels_ != nullptr) move_c(true);
  kernel_ != nullptr ? kernel_(step_) : run_step(shape_, step_);
  step_.descending = !step_.descending;  // what the caches still hold is read first
  const index H = shape_.hidden;
  for (index r = 0; step_.h != arrays_.h && r < rows_; ++r) {
    std::copy_n(step_.h + r * step_.h_stride, H, arrays_.h + r * H);
  }
  if (c_panels_ != nullptr && !shape_.c_is_h()) move_c(false);
}

template class LstmStep<float>;
template class LstmStep<double>;

}  // namespace lstmfast::ops
