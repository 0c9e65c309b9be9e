#include "measure/training_parts.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/buffer.h"
#include "base/check.h"
#include "base/denormals.h"
#include "ops/lstm_transposed.h"
#include "ops/weight_gradient.h"

namespace lstmfast::measure {
namespace {

using Clock = std::chrono::steady_clock;

double time_runs(index count, const std::function<void()>& run) {
  run();
  const Clock::time_point start = Clock::now();
  for (index i = 0; i < count; ++i) run();
  return std::chrono::duration<double>(Clock::now() - start).count() / double(count);
}

// A layer with numbers in it, and rows of dz.
struct Data {
  ops::LstmShape<float> shape;
  base::Buffer<float> block, dz, h;
  index dz_panel_stride, h_stride;

  Data(index batch, index input, index hidden, const CellOptions& options)
      : shape(input, hidden, options) {
    h_stride = shape.panels * shape.lanes;
    dz_panel_stride = (batch | 1) * shape.row_elements();
    block.resize(shape.size());
    dz.resize(shape.panels * dz_panel_stride);
    h.resize(batch * std::max(h_stride, input + hidden));
    for (base::Buffer<float>* b : {&block, &dz, &h})
      for (index j = 0; j < b->size(); ++j) b->data()[j] = float((j * 37 % 101 - 50) / 1000.0);
  }
};

double back_through_time(index batch, index input, index hidden, index count) {
  Data d(batch, input, hidden, {});
  const ops::TransposedWeights<float> weights(d.shape, 1, false);
  base::Buffer<float> transposed(weights.size());
  weights.fill(d.shape, d.block.data(), d.block.data(), 1, transposed.data());
  kernels::Gemm<float> g = weights.product(d.shape, weights.recurrent, transposed.data(),
                                           d.dz.data(), d.dz_panel_stride);
  g.row1 = batch;
  g.c = d.h.data();
  g.c_stride = d.h_stride;
  return time_runs(count, [&] { kernels::table<float>().gemm(g); });
}

double weight_gradient(index batch, index input, index hidden, index count) {
  Data d(batch, input, hidden, {});
  const index k = input + hidden, rows = std::min(batch, ops::kReductionRows);
  const int mr = kernels::table<float>().tile_rows[d.shape.gates];
  const index tiles = (k + mr - 1) / mr;
  base::Buffer<float> packed(tiles * mr * rows), gradient(d.shape.size());
  const float* from[ops::kReductionRows];
  for (index r = 0; r < rows; ++r) from[r] = d.h.data() + r * k;
  const ops::ColumnSource<float> source{0, k, from};
  ops::WeightGradient<float> g{};
  g.sources = &source;
  g.source_count = 1;
  g.k = k;
  g.rows = rows;
  g.tile1 = tiles;
  g.panels = d.shape.whole_panels();
  g.nr = d.shape.gates;
  g.dz = d.dz.data();
  g.dz_panel_stride = d.dz_panel_stride;
  g.dz_row_stride = d.shape.row_elements();
  g.dw = gradient.data();
  g.dw_panel_stride = d.shape.panel_stride();
  g.dw_row_stride = d.shape.row_elements();
  g.overwrites = true;  // as the first block of steps
  g.packed = packed.data();
  const ops::LstmShape<float>& s = d.shape;
  base::Buffer<float> tail(rows * s.tail_row() + s.lanes);
  if (s.tail.units > 0) g.tail_dz = tail.data();
  g.tail_dw = gradient.data() + s.whole_panels() * s.panel_stride();
  g.tail_vectors = s.tail.vectors;
  return time_runs(count, [&] {
    if (g.tail_dz) {
      kernels::table<float>().pack_gates({rows, s.gates, s.tail,
                                          d.dz.data() + s.tail_panel() * d.dz_panel_stride,
                                          s.row_elements(), tail.data()});
    }
    ops::add_weight_gradient(g);
  });
}

double transpose(index, index input, index hidden, index count) {
  Data d(1, input, hidden, {});
  const ops::TransposedWeights<float> weights(d.shape, 1, true);
  base::Buffer<float> transposed(weights.size());
  return time_runs(
      count, [&] { weights.fill(d.shape, d.block.data(), d.block.data(), 1, transposed.data()); });
}

double layer_norm(index batch, index input, index hidden, index count) {
  CellOptions options;
  options.layer_norm = true;
  Data d(batch, input, hidden, options);
  const ops::LstmShape<float>& s = d.shape;
  base::Buffer<float> c(s.panels * (batch | 1) * s.lanes), stats(batch * (2 * s.gates + 2));
  base::Buffer<float> scratch((s.gates + 1) * s.panels * s.lanes);
  const float clip_values[4] = {};
  kernels::NormForward<float> n{};
  n.row1 = batch;
  n.hidden = hidden;
  n.panels = s.panels;
  n.z = d.dz.data();
  n.z_panel_stride = d.dz_panel_stride;
  n.c = c.data();
  n.c_prev = c.data();
  n.c_panel_stride = n.c_prev_panel_stride = (batch | 1) * s.lanes;
  n.stats = stats.data();
  n.h = d.h.data();
  n.h_stride = d.h_stride;
  n.scratch = scratch.data();
  n.cell = {&s.options,
            false,
            nullptr,
            d.block.data() + s.norm_z_offset(),
            d.block.data() + s.norm_c_offset(),
            clip_values};
  return time_runs(count, [&] { kernels::table<float>().norm_forward(n); });
}

struct Part {
  const char* name;
  double (*time)(index batch, index input, index hidden, index count);
};

constexpr Part kParts[] = {{"back_through_time", back_through_time},
                           {"weight_gradient", weight_gradient},
                           {"transpose", transpose},
                           {"layer_norm", layer_norm}};

}  // namespace

std::vector<std::string> training_part_names() {
  std::vector<std::string> names;
  for (const Part& part : kParts) names.emplace_back(part.name);
  return names;
}

double time_training_part(const std::string& name, index batch, index input, index hidden,
                          index count) {
  LF_CHECK(batch >= 1 && input >= 1 && hidden >= 1 && count >= 1,
           "[time_training_part] batch, input, hidden and count are "
               << batch << ", " << input << ", " << hidden << ", " << count
               << "; expected 1 or more");
  const base::FlushDenormals flush;
  for (const Part& part : kParts)
    if (name == part.name) return part.time(batch, input, hidden, count);
  LF_FAIL("[time_training_part] there is no part " << name);
}

}  // namespace lstmfast::measure
