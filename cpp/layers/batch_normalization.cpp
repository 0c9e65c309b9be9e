// BatchNormalization: each value of an axis is normalised over the batch and the other axes, in
// training by what the batch measures, else by moving averages of that.
#include <algorithm>
#include <cmath>
#include <vector>

#include "layers/last_axes.h"
#include "layers/list.h"
#include "ops/norm.h"

namespace lstmfast::layers {
namespace {

constexpr const char* kKind = "batch_normalization";

// [count][groups] entries of `size` elements, to [groups][count] or back.
template <class E>
void regroup(index count, index groups, index size, bool back, const E* from, E* to) {
  ops::for_items(count * groups, size, [&](index begin, index end) {
    for (index n = begin; n < end; ++n) {
      const index there = n % groups * count + n / groups;
      std::copy_n(from + (back ? there : n) * size, size, to + (back ? n : there) * size);
    }
  });
}

template <class T>
class BatchNormalization final : public AlongAxes<T, BatchNormalization<T>> {
 public:
  // A group has statistics of its own: the samples of one step, of TimeDistributed.
  struct State : LayerState {
    LastAxes<T> axes;
    base::Slot<T> grouped[3];  // of x, of y or dy, of dx
    base::Slot<unsigned char> grouped_mask;
    base::Slot<T> center, factor, inverse, mean, slope;  // [groups][columns]
    base::Slot<double> sums, room;
    std::vector<index> counts;  // rows of each group that the mask leaves
    const unsigned char* mask = nullptr;
    bool measures = false;  // in the running step

    // What update_statistics() takes.
    std::vector<T> measured;  // [groups][mean, variance][columns]
    index pending = 0;        // groups
    T* moving[2] = {};        // [columns]
    T momentum = 0, rest = 0;

    void update_statistics() override {
      const index columns = axes.columns();
      const T* next = measured.data();
      for (; pending > 0; --pending) {
        for (T* const average : moving) {
          for (index c = 0; c < columns; ++c) average[c] = average[c] * momentum + next[c] * rest;
          next += columns;
        }
      }
    }
  };

  explicit BatchNormalization(const base::Values& options)
      : AlongAxes<T, BatchNormalization<T>>(kKind, options["axis"]),
        momentum_(options["momentum"].number()),
        epsilon_(options["epsilon"].number()),
        center_(options["center"].flag()),
        scale_(options["scale"].flag()) {}

  Shapes output_shapes(const Shapes& inputs) const override {
    const index columns = this->along_axes(inputs[0]).count();
    check_input(!this->built() || columns == columns_, kKind, inputs[0],
                std::to_string(columns_) + " along axis, for which the layer has weights");
    return inputs;
  }

  void plan(State& my, base::Planner& planner, const Extent& extent) const {
    const Shape& shape = my.shapes[0];
    const bool trains = extent.training;
    my.axes = this->last_axes(shape, planner, extent);
    const index groups = trains ? extent.steps : 1, count = extent.batch * shape.count();
    const index rows = extent.batch * my.axes.rows(), columns = my.axes.columns();
    my.factor = planner.add<T>(groups * columns);
    if (!trains) return;
    if (groups > 1) {
      for (base::Slot<T>& slot : my.grouped) slot = planner.add<T>(count);
      my.grouped_mask = planner.add<unsigned char>(rows);
    }
    for (base::Slot<T>* const slot : {&my.center, &my.inverse, &my.mean, &my.slope})
      *slot = planner.add<T>(groups * columns);
    my.sums = planner.add<double>(2 * columns);
    my.room = planner.add<double>(ops::column_sums_room(rows, columns));
    my.counts.resize(static_cast<std::size_t>(groups));
    my.measured.resize(static_cast<std::size_t>(2 * groups * columns));
  }

  void run_forward(const Pass<T>& pass, State& my, const Ins<T>& in, Outs<T>& out) const {
    base::Arena& arena = *pass.arena;
    my.measures = pass.training && !my.fixed && this->parameters_.trainable();
    my.pending = 0;
    const index columns = my.axes.columns(), groups = my.measures ? pass.steps : 1;
    const index rows = pass.batch / groups * my.axes.rows();  // of a group
    LF_CHECK(!my.measures || in[0].mask == nullptr || !my.axes.moves(),
             "[" << kKind << "] axis is " << base::shown(this->axes())
                 << "; expected -1 for an input with a mask");
    const bool regroups = groups > 1;
    my.mask = in[0].mask;
    const T* x = in[0].values;
    T* y = out[0].values;
    if (regroups) {
      T* const copy = arena.at(my.grouped[0]);
      regroup(pass.batch / groups, groups, my.shapes[0].count(), false, x, copy);
      x = copy;
      y = arena.at(my.grouped[1]);
      if (my.mask != nullptr) {
        unsigned char* const mask = arena.at(my.grouped_mask);
        regroup(pass.batch / groups, groups, my.axes.rows(), false, in[0].mask, mask);
        my.mask = mask;
      }
    }
    x = my.axes.moved(0, arena, pass.batch, x);
    T* const to = my.axes.place(1, arena, y);
    for (index g = 0; g < groups; ++g) {
      const index first = g * rows * columns;
      const T* const mean = my.measures ? measure(my, arena, g, rows, x + first) : moving(0);
      T* const factor = arena.at(my.factor) + g * columns;
      if (!my.measures) invert(columns, moving(1), factor);
      if (!my.measures && pass.training) {
        std::copy_n(factor, columns, arena.at(my.inverse));
        std::copy_n(mean, columns, arena.at(my.center));
      }
      for (index c = 0; scale_ && c < columns; ++c) factor[c] *= this->values()[c];
      ops::normalise_columns<T>({rows, columns, x + first, to + first, mean, factor,
                                 center_ ? this->values() + beta_ : nullptr});
    }
    my.axes.finish(1, arena, pass.batch, y);
    if (regroups) {
      regroup<T>(pass.batch / groups, groups, my.shapes[0].count(), true, y, out[0].values);
    }
    if (!my.measures) return;
    my.pending = groups;
    for (int k = 0; k < 2; ++k) my.moving[k] = this->parameters_.values() + statistics_[k];
    my.momentum = static_cast<T>(momentum_);
    my.rest = static_cast<T>(1 - momentum_);
  }

  // With d = x - mean, s = 1 / sqrt(variance + epsilon), n real rows and sums over all rows:
  //   dgamma = s sum(dy d), dbeta = sum(dy),
  //   dx = gamma s (dy - (sum(dy) + d s^2 sum(dy d)) / n), the part over n in real rows only.
  // Moving averages are constants: dx = gamma s dy.
  void run_backward(const Pass<T>& pass, State& my, const Ins<T>& in, const Outs<T>& out) const {
    base::Arena& arena = *pass.arena;
    const index columns = my.axes.columns(), groups = my.measures ? pass.steps : 1;
    const index rows = pass.batch / groups * my.axes.rows(), size = my.shapes[0].count();
    const bool regroups = groups > 1;
    T* const gradients = this->gradients(pass, my);
    const T* dy = out[0].gradient;
    T* dx = in[0].gradient;
    if (regroups) {
      T* const copy = arena.at(my.grouped[1]);
      regroup(pass.batch / groups, groups, size, false, dy, copy);
      dy = copy;
      if (dx != nullptr) dx = arena.at(my.grouped[2]);
    }
    T* const given = regroups ? arena.at(my.grouped[0]) : const_cast<T*>(in[0].values);
    const T* const x = my.axes.place(0, arena, given);  // only read
    dy = my.axes.moved(1, arena, pass.batch, dy);
    T* const to = dx == nullptr ? nullptr : my.axes.place(2, arena, dx);
    for (index g = 0; g < groups; ++g) {
      const index first = g * rows * columns;
      kernels::NormaliseColumnsBackward<T> matrix{rows, columns, x + first, dy + first,
                                                  to == nullptr ? nullptr : to + first};
      matrix.factor = arena.at(my.factor) + g * columns;
      if (my.measures || gradients != nullptr) differentiate(my, arena, g, gradients, matrix);
      if (to != nullptr) ops::normalise_columns_backward(matrix);
    }
    if (dx == nullptr) return;
    my.axes.finish(2, arena, pass.batch, dx);
    if (regroups) regroup<T>(pass.batch / groups, groups, size, true, dx, in[0].gradient);
  }

 private:
  const T* moving(int k) const { return this->values() + statistics_[k]; }

  // 1 / sqrt(variance + epsilon)
  void invert(index columns, const T* variance, T* out) const {
    for (index c = 0; c < columns; ++c) {
      out[c] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance[c]) + epsilon_));
    }
  }

  // Mean and variance of a group: to `measured`, and the first to the group's center, which is
  // returned; the factor without gamma.
  const T* measure(State& my, base::Arena& arena, index g, index rows, const T* x) const {
    const index columns = my.axes.columns();
    double* const sums = arena.at(my.sums);
    T* const mean = my.measured.data() + 2 * g * columns;
    T* const variance = mean + columns;
    const unsigned char* const mask = my.mask == nullptr ? nullptr : my.mask + g * rows;
    const index counted =
        mask == nullptr ? rows : static_cast<index>(rows - std::count(mask, mask + rows, 0));
    const double count = static_cast<double>(std::max<index>(1, counted));
    my.counts[static_cast<std::size_t>(g)] = std::max<index>(1, counted);
    kernels::ColumnSums<T> matrix{kernels::ColumnSum::values, rows, columns, x, nullptr, mask};
    matrix.sums = sums;
    ops::column_sums(matrix, arena.at(my.room));
    T* const center = arena.at(my.center) + g * columns;
    for (index c = 0; c < columns; ++c) center[c] = mean[c] = static_cast<T>(sums[c] / count);
    matrix.op = kernels::ColumnSum::squares;
    matrix.center = center;
    ops::column_sums(matrix, arena.at(my.room));
    for (index c = 0; c < columns; ++c) variance[c] = static_cast<T>(sums[c] / count);
    T* const inverse = arena.at(my.inverse) + g * columns;
    invert(columns, variance, inverse);
    std::copy_n(inverse, columns, arena.at(my.factor) + g * columns);
    return center;
  }

  // Adds a group's gradients of parameters, and sets what dx needs where batches are measured.
  void differentiate(State& my, base::Arena& arena, index g, T* gradients,
                     kernels::NormaliseColumnsBackward<T>& matrix) const {
    const index columns = matrix.columns;
    const T* const inverse = arena.at(my.inverse) + g * columns;
    T* const mean = arena.at(my.mean) + g * columns;
    T* const slope = arena.at(my.slope) + g * columns;
    const T* const center = arena.at(my.center) + g * columns;
    kernels::ColumnSums<T> sums{kernels::ColumnSum::products, matrix.rows, columns, matrix.x,
                                matrix.dy};
    sums.center = center;
    sums.sums = arena.at(my.sums);
    ops::column_sums(sums, arena.at(my.room));
    const double* const products = sums.sums;
    const double* const totals = products + columns;
    const double count =
        my.measures ? static_cast<double>(my.counts[static_cast<std::size_t>(g)]) : 1;
    for (index c = 0; c < columns; ++c) {
      const double s = static_cast<double>(inverse[c]);
      mean[c] = static_cast<T>(totals[c] / count);
      slope[c] = static_cast<T>(products[c] * s * s / count);
      if (gradients == nullptr) continue;
      if (scale_) gradients[c] += static_cast<T>(products[c] * s);
      if (center_) gradients[beta_ + c] += static_cast<T>(totals[c]);
    }
    if (!my.measures) return;
    matrix.center = center;
    matrix.mean = mean;
    matrix.slope = slope;
    matrix.mask = my.mask == nullptr ? nullptr : my.mask + g * matrix.rows;
  }

  void declare_parameters(const Shapes& inputs) override {
    columns_ = this->along_axes(inputs[0]).count();
    Parameters<T>& parameters = this->parameters_;
    if (scale_) parameters.add_plain("gamma", {columns_});  // at element 0
    if (center_) beta_ = parameters.add_plain("beta", {columns_});
    statistics_[0] = parameters.add_statistic("moving_mean", {columns_});
    statistics_[1] = parameters.add_statistic("moving_variance", {columns_});
  }

  double momentum_, epsilon_;
  bool center_, scale_;
  index columns_ = 0;  // of the parameters
  index beta_ = 0, statistics_[2] = {};
};

}  // namespace

Component batch_normalization() {
  return Family::of<BatchNormalization>(
      {{axis_option("axis", -1), base::number("momentum", 0.99, base::from_to(0, 1)),
        base::number("epsilon", 1e-3, base::at_least(0)), base::flag("center", true),
        base::flag("scale", true)}});
}

}  // namespace lstmfast::layers
