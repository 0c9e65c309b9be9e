#include "ops/pieces.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/buffer.h"
#include "base/check.h"
#include "base/denormals.h"
#include "base/team.h"
#include "ops/lstm_transposed.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

using Clock = std::chrono::steady_clock;

double time_runs(index count, const std::function<void()>& run) {
  run();
  const Clock::time_point start = Clock::now();
  for (index i = 0; i < count; ++i) run();
  return std::chrono::duration<double>(Clock::now() - start).count() / double(count);
}

// A layer with numbers in it, and rows of dz.
template <class T>
struct Data {
  LstmShape<T> shape;
  base::Buffer<T> block, dz, h, out;
  index dz_panel_stride, h_stride;

  Data(index batch, index input, index hidden, const CellOptions& options)
      : shape(input, hidden, options) {
    h_stride = shape.panels * shape.lanes;
    dz_panel_stride = (batch | 1) * shape.row_elements();
    block.resize(shape.size());
    dz.resize(shape.panels * dz_panel_stride);
    h.resize(batch * std::max(h_stride, input + hidden));
    for (base::Buffer<T>* b : {&block, &dz, &h})
      for (index j = 0; j < b->size(); ++j) b->data()[j] = T((j * 37 % 101 - 50) / 1000.0);
  }
};

template <class T>
double back_through_time(index batch, index input, index hidden, index count) {
  Data<T> d(batch, input, hidden, {});
  const TransposedWeights<T> transposed(d.shape, 1, false);
  base::Buffer<T> turned(transposed.size());
  transposed.fill(d.shape, d.block.data(), d.block.data(), 1, turned.data());
  kernels::Gemm<T> g =
      transposed.recurrent.product(d.shape, turned.data(), d.dz.data(), d.dz_panel_stride);
  g.row1 = batch;
  g.c = d.h.data();
  g.c_stride = d.h_stride;
  return time_runs(count, [&] { kernels::table<T>().gemm(g); });
}

template <class T>
double weight_gradient(index batch, index input, index hidden, index count) {
  Data<T> d(batch, input, hidden, {});
  const index k = input + hidden, rows = std::min(batch, kReductionRows);
  const int mr = kernels::table<T>().tile_rows[d.shape.gates];
  const index tiles = (k + mr - 1) / mr;
  base::Buffer<T> packed(tiles * mr * rows), gradient(d.shape.size());
  const T* from[kReductionRows];
  for (index r = 0; r < rows; ++r) from[r] = d.h.data() + r * k;
  const ColumnSource<T> source{0, k, from};
  WeightGradient<T> g{};
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
  g.packed = packed.data();
  const LstmShape<T>& s = d.shape;
  base::Buffer<T> tail(rows * s.tail_row() + s.lanes);
  if (s.tail.units > 0) g.tail_dz = tail.data();
  g.tail_vectors = s.tail.vectors;
  return time_runs(count, [&] {
    if (g.tail_dz) {
      kernels::table<T>().pack_gates({rows, s.gates, s.tail,
                                      d.dz.data() + s.tail_panel() * d.dz_panel_stride,
                                      s.row_elements(), tail.data()});
    }
    add_weight_gradient(g);
  });
}

template <class T>
double transpose(index, index input, index hidden, index count) {
  Data<T> d(1, input, hidden, {});
  const TransposedWeights<T> transposed(d.shape, 1, true);
  base::Buffer<T> turned(transposed.size());
  return time_runs(
      count, [&] { transposed.fill(d.shape, d.block.data(), d.block.data(), 1, turned.data()); });
}

template <class T>
double layer_norm(index batch, index input, index hidden, index count) {
  CellOptions options;
  options.layer_norm = true;
  Data<T> d(batch, input, hidden, options);
  const LstmShape<T>& s = d.shape;
  base::Buffer<T> c(s.panels * (batch | 1) * s.lanes), stats(batch * (2 * s.gates + 2));
  base::Buffer<T> scratch((s.gates + 1) * s.panels * s.lanes);
  const T clip_values[4] = {};
  kernels::NormForward<T> n{};
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
  n.cell = {&s.options, nullptr, d.block.data() + s.norm_z_offset(),
            d.block.data() + s.norm_c_offset(), clip_values};
  return time_runs(count, [&] { kernels::table<T>().norm_forward(n); });
}

template <class T>
struct Piece {
  const char* name;
  double (*time)(index batch, index input, index hidden, index count);
};

template <class T>
constexpr Piece<T> kPieces[] = {{"back_through_time", back_through_time<T>},
                                {"weight_gradient", weight_gradient<T>},
                                {"transpose", transpose<T>},
                                {"layer_norm", layer_norm<T>}};

}  // namespace

std::vector<std::string> piece_names() {
  std::vector<std::string> names;
  for (const Piece<float>& piece : kPieces<float>) names.emplace_back(piece.name);
  return names;
}

template <class T>
double time_piece(const std::string& name, index batch, index input, index hidden, index count) {
  LF_CHECK(batch >= 1 && input >= 1 && hidden >= 1 && count >= 1,
           "[time_piece] batch, input, hidden and count are " << batch << ", " << input << ", "
                                                              << hidden << ", " << count
                                                              << "; expected 1 or more");
  const base::FlushDenormals flush;
  for (const Piece<T>& piece : kPieces<T>)
    if (name == piece.name) return piece.time(batch, input, hidden, count);
  LF_FAIL("[time_piece] there is no piece " << name);
}

double time_barrier(int threads, index count) {
  LF_CHECK(count >= 1, "[time_barrier] count is " << count << "; expected 1 or more");
  double seconds = 0;
  base::team::run(threads, [&](int tid, int, base::Barrier& barrier) {
    barrier.wait();
    const Clock::time_point start = Clock::now();
    for (index i = 0; i < count; ++i) barrier.wait();
    if (tid == 0) seconds = std::chrono::duration<double>(Clock::now() - start).count();
  });
  return seconds / double(count);
}

template double time_piece<float>(const std::string&, index, index, index, index);
template double time_piece<double>(const std::string&, index, index, index, index);

}  // namespace lstmfast::ops
