#include "ops/convolution.h"

#include <algorithm>

#include "base/interrupt.h"
#include "kernels/table.h"
#include "ops/plan.h"
#include "ops/vector.h"
#include "ops/weight_gradient.h"

namespace lstmfast::ops {
namespace {

// Of the rows that scatter_input_gradient() computes at a time: few pass over the weights often,
// many leave the cache.
constexpr index kLeastRows = 32, kColumns = 65536;

// To transpose so many elements.
base::team::Request fill_threads(index elements) {
  if (elements < kStreamGrain) return 1;
  return {base::team::get_num_threads(), 2 * seconds_of(double(elements))};
}

}  // namespace

template <class T>
void Convolution<T>::arrange(const LinearShape<T>& weights, const kernels::Windows& y,
                             const kernels::Windows& x, index channels,
                             const ConvolutionArrays& arrays, bool training) {
  weights_ = weights;
  y_ = y;
  x_ = x;
  channels_ = channels;
  arrays_ = arrays;
  const index outputs = slabs().outputs;
  rows_.arrange(y, x, channels, {arrays.stride, arrays.sample},
                {0, y.count * x.count * outputs, x.count * outputs, outputs});
  parts_.clear();
  if (!training) return;
  reaches_all_ = y.taps >= y.stride && x.taps >= x.stride;
  for (index j = 0; j < std::min(y.stride, y.taps); ++j) {
    for (index i = 0; i < std::min(x.stride, x.taps); ++i)
      add_part(gradient_phase(y, j), gradient_phase(x, i));
  }
  index products = 0;  // of a row of dz and a tap
  for (const Part& part : parts_) {
    products += part.rows.windows() * static_cast<index>(part.taps.size());
  }
  scatters_ = arrays.panel == 0 && rows_.scratch_size() == 0 &&
              products > 2 * rows_.windows() * y.taps * x.taps;
}

template <class T>
void Convolution<T>::add_part(const Phase& y, const Phase& x) {
  const kernels::Windows &v = y.windows, &u = x.windows;
  if (v.count == 0 || u.count == 0) return;
  const index outputs = slabs().outputs, padded = slabs().padded;
  const index line = x_.size * arrays_.stride;
  // A transposed tap is `padded` rows long: the next tap overwrites those after `outputs`.
  const index depth = v.taps * u.taps * outputs + padded - outputs;
  const index first =
      parts_.empty() ? 0 : parts_.back().first + slabs().count * parts_.back().weights.size();
  Part part{{}, Transposed<T>(channels_, depth, weights_.lanes), {}, first};
  part.rows.arrange(v, u, outputs, {padded, v.size * u.size * padded},
                    {y.first * line + x.first * arrays_.stride, arrays_.sample, y_.stride * line,
                     x_.stride * arrays_.stride});
  // The first position is reached by taps that are a whole number of strides before the window.
  const index tap_y = (y.first - y_.first) % y_.stride, tap_x = (x.first - x_.first) % x_.stride;
  for (index j = v.taps; j-- > 0;) {
    for (index i = u.taps; i-- > 0;)
      part.taps.push_back((tap_y + j * y_.stride) * x_.taps + tap_x + i * x_.stride);
  }
  parts_.push_back(std::move(part));
}

// f(block, scratch) for all blocks.
template <class T>
template <class F>
void Convolution<T>::share(const WindowRows<T>& rows, index batch, double flops_of_row, F&& f) {
  const index units = rows.units(batch), grain = rows.grain(), size = rows.scratch_size();
  const double flops = flops_of_row * double(batch * rows.windows());
  const base::team::Request request = threads_for(flops, (units + grain - 1) / grain);
  blocks_.reserve(request.threads * size);
  base::team::run(request, [&](int tid, int n) {
    base::InterruptPoint point;
    rows.for_blocks(base::split(units, tid, n, grain), [&](const auto& block) {
      f(block, blocks_.data() + tid * size);
      point.pass(flops_of_row * double(block.rows));
    });
  });
}

// finish(block) after each block of rows.
template <class T>
template <class F>
void Convolution<T>::multiply(kernels::Gemm<T> product, index batch, const T* x, T* z, F&& finish) {
  if (arrays_.panel > 0) product.c_panel_stride = arrays_.panel;
  share(rows_, batch, 2.0 * double(weights_.inputs) * double(weights_.outputs),
        [&](const auto& rows, T* scratch) {
          rows_.multiply(product, rows, rows_.load(rows, x, scratch), z);
          finish(rows);
        });
}

template <class T>
void Convolution<T>::forward(const T* block, index batch, const T* x, T* z,
                             const ActivationSpec& activation, T* y) {
  const index outputs = weights_.outputs;
  kernels::Gemm<T> g = weights_.product(block);
  g.bias = block;
  g.bias_panel_stride = g.b_panel_stride;
  multiply(g, batch, x, z, [&](const auto& rows) {
    if (activation.kind == Activation::linear && y == z) return;
    // While they are in the cache, and so few at a time that this thread does it alone.
    const index most = std::max<index>(1, kMathGrain / outputs);
    for (index r = 0; r < rows.rows; r += most) {
      const index first = (rows.row + r) * outputs;
      activate(activation, std::min(most, rows.rows - r), outputs, z + first, outputs, y + first,
               outputs);
    }
  });
}

template <class T>
void Convolution<T>::accumulate(const T* block, index batch, const T* x, T* z) {
  kernels::Gemm<T> g = weights_.product(block);
  g.accumulate = true;
  multiply(g, batch, x, z, [](const auto&) {});
}

template <class T>
void Convolution<T>::backward(index batch, const T* x, const T* dz, T* dx, T* dblock, bool bias) {
  if (dx != nullptr) {
    scatters_ ? scatter_input_gradient(batch, dz, dx) : input_gradient(batch, dz, dx);
  }
  if (dblock != nullptr) add_weight_gradients(batch, x, dz, dblock, bias);
}

template <class T>
void Convolution<T>::clear(index batch, T* dx) const {
  const index sample = y_.size * x_.size * arrays_.stride;
  for_items(batch, sample, [&](index begin, index end) {
    for (index b = begin; b < end; ++b) std::fill_n(dx + b * arrays_.sample, sample, T(0));
  });
}

template <class T>
void Convolution<T>::transpose(const T* block) {
  kernels::TransposePanels<T> from = weights_.panels_of(block);
  if (scatters_) {
    const Transposed<T> all = all_transposed();
    scratch_.transposed.reserve(all.size());
    return all.fill(from, fill_threads(all.size()), scratch_.transposed.data());
  }
  const Slabs slabs = this->slabs();
  if (parts_.empty()) return;
  scratch_.transposed.reserve(parts_.back().first + slabs.count * parts_.back().weights.size());
  from.panels /= slabs.count;
  for (const Part& part : parts_) {
    const Transposed<T>& to = part.weights;
    for (index slab = 0; slab < slabs.count; ++slab) {
      T* const transposed = scratch_.transposed.data() + part.first + slab * to.size();
      for (std::size_t k = 0; k < part.taps.size(); ++k) {
        kernels::TransposePanels<T> tap = from;
        tap.w += slab * from.w_panel_stride + part.taps[k] * channels_ * from.w_row;
        to.fill(tap, fill_threads(to.size()),
                transposed + static_cast<index>(k) * slabs.outputs * to.width);
      }
    }
  }
}

template <class T>
void Convolution<T>::input_gradient(index batch, const T* dz, T* dx) {
  if (!reaches_all_) clear(batch, dx);
  const Slabs slabs = this->slabs();
  for (const Part& part : parts_) {
    const Transposed<T>& to = part.weights;
    const T* const transposed = scratch_.transposed.data() + part.first;
    const WindowRows<T>& rows = part.rows;
    share(rows, batch, 2.0 * double(slabs.count * rows.depth()) * double(channels_),
          [&](const auto& some, T* scratch) {
            for (index slab = 0; slab < slabs.count; ++slab) {
              kernels::Gemm<T> g = to.product(transposed + slab * to.size(), slabs.outputs);
              g.accumulate = slab > 0;
              rows.multiply(g, some, rows.load(some, dz + slab * arrays_.panel, scratch), dx);
            }
          });
  }
}

// Windows have no padding: the offsets of their rows are those of dx. Threads share the samples.
template <class T>
void Convolution<T>::scatter_input_gradient(index batch, const T* dz, T* dx) {
  clear(batch, dx);
  const index depth = weights_.inputs, outputs = weights_.outputs;
  const index padded = weights_.padded_outputs(), lines = rows_.units(1);
  kernels::Gemm<T> all = all_transposed().product(scratch_.transposed.data(), outputs);
  all.a_stride = padded;
  all.c_stride = depth;
  const index most = std::max(kLeastRows, kColumns / depth);  // rows at a time
  const double flops_of_row = 2.0 * double(depth) * double(outputs);
  const base::team::Request request =
      threads_for(flops_of_row * double(batch * rows_.windows()), batch);
  blocks_.reserve(request.threads * most * depth);
  base::team::run(request, [&](int tid, int n) {
    T* const columns = blocks_.data() + tid * most * depth;
    const base::Range mine = base::split(batch, tid, n);
    base::InterruptPoint point;
    rows_.for_blocks({mine.begin * lines, mine.end * lines}, [&](const auto& some) {
      T* const to = dx + (rows_.load(some, dx, nullptr) - dx);
      for (index begin = 0; begin < some.rows; begin += most) {
        kernels::Gemm<T> g = all;
        g.row1 = std::min(most, some.rows - begin);
        g.a = dz + (some.row + begin) * padded;
        g.c = columns;
        kernels::table<T>().gemm(g);
        for (index r = 0; r < g.row1; ++r) {
          rows_.for_runs([&](index first, index count, index shift) {
            T* const sums = to + rows_.offsets()[begin + r] + shift;
            const T* const terms = columns + r * depth + first;
            for (index i = 0; i < count; ++i) sums[i] += terms[i];
          });
        }
        point.pass(flops_of_row * double(g.row1));
      }
    });
  });
}

// Threads share the rows of W, in whole tiles, and each of them adds all blocks in order.
template <class T>
void Convolution<T>::add_weight_gradients(index batch, const T* x, const T* dz, T* dblock,
                                          bool bias) {
  const int mr = kernels::table<T>().tile_rows[weights_.groups];
  const index row = weights_.groups * weights_.lanes, k = 1 + weights_.inputs;
  const index tiles = (k + mr - 1) / mr, padded = slabs().padded;
  const index size = rows_.scratch_size();
  const double flops_of_row = 2.0 * double(k) * double(weights_.outputs);
  const base::team::Request request =
      threads_for(flops_of_row * double(batch * rows_.windows()), tiles);
  weights_.reserve_columns(kReductionRows, scratch_);
  blocks_.reserve(request.threads * size);
  base::team::run(request, [&](int tid, int n) {
    const base::Range share = base::split(tiles, tid, n);
    const T one = 1;
    const T *ones[kReductionRows], *rows[kReductionRows];
    std::fill_n(ones, kReductionRows, bias ? &one : nullptr);
    WeightGradient<T> g{};
    g.k = k;
    g.tile0 = share.begin;
    g.tile1 = share.end;
    g.panels = weights_.panels;
    g.nr = weights_.groups;
    g.dz_panel_stride = arrays_.panel > 0 ? arrays_.panel : row;
    g.dz_row_stride = padded;
    g.dw = dblock;
    g.dw_panel_stride = k * row;
    g.dw_row_stride = row;
    g.packed = scratch_.columns.data() + share.begin * mr * kReductionRows;
    base::InterruptPoint point;
    rows_.for_blocks({0, rows_.units(batch)}, [&](const auto& block) {
      const T* const loaded = rows_.load(block, x, blocks_.data() + tid * size);
      for (index begin = 0; begin < block.rows; begin += kReductionRows) {
        g.rows = std::min(kReductionRows, block.rows - begin);
        for (index r = 0; r < g.rows; ++r) rows[r] = loaded + rows_.offsets()[begin + r];
        g.dz = dz + (block.row + begin) * padded;
        pack_source<T>(g, {0, 1, ones});
        rows_.for_runs([&](index first, index count, index shift) {
          pack_source<T>(g, {1 + first, count, rows, shift});
        });
        add_packed(g);
      }
      point.pass(flops_of_row * double(block.rows * share.size()) / double(tiles));
    });
  });
}

template class Convolution<float>;
template class Convolution<double>;

}  // namespace lstmfast::ops
