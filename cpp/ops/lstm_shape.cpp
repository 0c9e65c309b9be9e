#include "kernels/table.h"
#include "ops/lstm.h"
#include "ops/plan.h"

namespace lstmfast::ops {

namespace {

// No tail with layer norm, whose kernels take whole rows of equal panels, nor with two phases,
// which read some of the vectors of a row each.
kernels::Tail tail_of(index hidden, const CellOptions& options, int gates, index lanes) {
  const index units = hidden % lanes, vectors = (units * gates + lanes - 1) / lanes;
  const bool whole = options.layer_norm || options.kind == CellKind::gru_reset_before;
  if (whole || units == 0 || vectors == gates) return {0, 0};
  return {units, int(vectors)};
}

}  // namespace

template <class T>
LstmShape<T>::LstmShape(index input_, index hidden_, const CellOptions& options_,
                        Precision precision_)
    : input(input_),
      hidden(hidden_),
      options(options_),
      precision(precision_),
      gates(gate_count(options_)),
      kept(options_.kind == CellKind::gru ? 4 : gates),
      lanes(kernels::table<T>().lanes),
      panels((hidden_ + lanes - 1) / lanes),
      tail(precision_ == Precision::full ? tail_of(hidden_, options_, gates, lanes)
                                         : kernels::Tail{0, 0}) {}

template <class T>
index LstmShape<T>::norm_z_offset() const {
  return peephole_offset() + (options.peephole ? panels * (gates - 1) * lanes : 0);
}

template <class T>
index LstmShape<T>::norm_c_offset() const {
  return norm_z_offset() + (options.layer_norm ? panels * 2 * gates * lanes : 0);
}

template <class T>
index LstmShape<T>::projection_offset() const {
  return norm_c_offset() + (options.layer_norm ? panels * 2 * lanes : 0);
}

template <class T>
index LstmShape<T>::size() const {
  return projection_offset() + (options.projection > 0 && !is_reduced() ? projection().size() : 0);
}

template <class T>
PartLayout LstmShape<T>::kernel_layout(index rows, index turned_rows) const {
  PartLayout out{rows, gates * hidden, gates, hidden, 0, panels, 0, row_elements(), lanes, true};
  out.turned_rows = turned_rows;
  return out;
}

template <class T>
ReducedMatrix LstmShape<T>::reduced_input() const {
  return {precision, kernel_layout(input, apart() ? input : 0)};
}

template <class T>
ReducedMatrix LstmShape<T>::reduced_recurrent() const {
  return {precision, kernel_layout(outputs(), 0)};
}

template <class T>
double LstmShape<T>::flops() const {
  return 2.0 * (double(gates * hidden) * double(input + outputs()) +
                double(hidden) * double(options.projection));
}

template <class T>
bool LstmShape<T>::exceeds_caches() const {
  return weight_bytes() > plan().l3 / 2;
}

template <class T>
std::vector<LstmPart> LstmShape<T>::parts() const {
  const index G = gates, H = hidden, V = lanes;
  // A part that covers `groups` vectors of each row of a panel, from element `first` on.
  const auto part = [&](const char* name, std::vector<index> shape, index rows, index groups,
                        index first, index stride, index row_stride) {
    return LstmPart{name,
                    std::move(shape),
                    {rows, groups * H, groups, H, first, panels, stride, row_stride, V, true}};
  };
  const index row = G * V, stride = panel_stride();
  // Rows of the panels from `begin` on.
  const auto weights = [&](const char* name, std::vector<index> shape, index begin, index rows) {
    LstmPart out = part(name, std::move(shape), rows, G, begin * row, stride, row);
    out.layout.tail_first = (panels - 1) * stride + begin * tail_row();
    out.layout.tail_row_stride = tail_row();
    out.layout.tail_lanes = tail.units;
    return out;
  };
  std::vector<LstmPart> parts = {
      weights("kernel", {input, G * H}, input_row(), input),
      weights("recurrent_kernel", {outputs(), G * H}, recurrent_row(), outputs()),
      weights("bias", {G * H}, bias_row(), biases()),
  };
  if (apart()) {
    parts[0].layout.turned_rows = input;
    parts[2].layout.turned_rows = 1;
    parts[2].shape = {2, G * H};
  }
  parts[0].reduced = reduced_input();
  parts[1].shares_scales = true;
  parts[1].reduced = reduced_recurrent();
  parts[1].reduced_first = recurrent_byte();
  if (options.peephole) {
    // Rows of the logical matrix are gates; a panel holds them one vector each.
    parts.push_back(part("peephole", {G - 1, H}, G - 1, 1, peephole_offset(), (G - 1) * V, V));
  }
  if (options.layer_norm) {
    const index z = norm_z_offset(), c = norm_c_offset();
    parts.push_back(part("norm_z_weight", {G * H}, 1, G, z, 2 * row, row));
    parts.push_back(part("norm_z_bias", {G * H}, 1, G, z + row, 2 * row, row));
    parts.push_back(part("norm_c_weight", {H}, 1, 1, c, 2 * V, V));
    parts.push_back(part("norm_c_bias", {H}, 1, 1, c + V, 2 * V, V));
  }
  if (options.projection > 0) {
    PartLayout layout = projection().kernel();
    layout.first += projection_offset();
    parts.push_back({"projection_kernel",
                     {H, options.projection},
                     layout,
                     projection().reduced(),
                     projection_byte()});
  }
  return parts;
}

template struct LstmShape<float>;
template struct LstmShape<double>;

}  // namespace lstmfast::ops
