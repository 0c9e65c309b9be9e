#include "ops/window_rows.h"

#include "kernels/table.h"

namespace lstmfast::ops {
namespace {

constexpr index kBlockRows = 256;  // so that a block's part of the array stays in L2
constexpr index kGrainRows = 24;   // a few tiles

}  // namespace

template <class T>
void WindowRows<T>::arrange(const kernels::Windows& y, const kernels::Windows& x, index channels,
                            const Source& source, const Place& place) {
  y_ = y;
  x_ = x;
  channels_ = channels;
  stride_ = source.stride;
  sample_ = source.sample;
  place_ = place;
  whole_lines_ = stride_ == channels && inside(x, 0, x.count);
  line_ = channels * (whole_lines_ ? x.size : (x.count - 1) * x.stride + span_of(x));
  samples_ = std::max<index>(1, kBlockRows / windows());
  lines_ = samples_ > 1 ? y.count : std::min(y.count, std::max<index>(1, kBlockRows / x.count));
  const bool in_place =
      whole_lines_ && inside(y, 0, y.count) && (samples_ == 1 || sample_ == y.size * line_);
  pitch_ = line_ * (in_place ? y.size : padded_lines(y.count));
  const index copied = samples_ > 1 ? samples_ * pitch_ : padded_lines(lines_) * line_;
  scratch_size_ = in_place ? 0 : (copied + 15) / 16 * 16;

  run_ = channels * x.taps;
  runs_ = y.taps;
  run_stride_ = y.dilation * line_;
  calls_ = 1;
  call_stride_ = 0;
  if (x.taps > 1 && x.dilation > 1) {
    calls_ = runs_;
    call_stride_ = run_stride_;
    run_ = channels;
    runs_ = x.taps;
    run_stride_ = x.dilation * channels;
  } else if (run_ == run_stride_) {
    run_ *= runs_;
    runs_ = 1;
  }

  offsets_.clear();
  results_.clear();
  for (index b = 0; b < samples_; ++b) {
    for (index j = 0; j < lines_; ++j) {
      for (index i = 0; i < x.count; ++i) {
        offsets_.push_back(b * pitch_ + j * y.stride * line_ + i * x.stride * channels);
        results_.push_back(b * place.sample + j * place.y + i * place.x);
      }
    }
  }
}

template <class T>
index WindowRows<T>::grain() const {
  return samples_ > 1 ? std::max<index>(1, kGrainRows / windows())
                      : std::max<index>(1, kGrainRows / x_.count);
}

template <class T>
typename WindowRows<T>::Block WindowRows<T>::first_block(base::Range units) const {
  Block out{units.begin, 1, 0, y_.count, 0, 0};
  if (samples_ > 1) {
    out.samples = std::min(samples_, units.size());
  } else {
    out.sample = units.begin / y_.count;
    out.line0 = units.begin % y_.count;
    out.line1 = std::min(y_.count, out.line0 + std::min(lines_, units.size()));
  }
  out.row = (out.sample * y_.count + out.line0) * x_.count;
  out.rows = out.samples * (out.line1 - out.line0) * x_.count;
  return out;
}

template <class T>
const T* WindowRows<T>::load(const Block& block, const T* array, T* scratch) const {
  const index top = y_.first + block.line0 * y_.stride;
  const T* const from = array + block.sample * sample_;
  const index left = whole_lines_ ? x_.first * channels_ : 0;
  if (whole_lines_ && inside(y_, block.line0, block.line1) &&
      (block.samples == 1 || pitch_ == sample_)) {
    return from + top * line_ + left;
  }
  const index lines = padded_lines(block.line1 - block.line0);
  for (index b = 0; b < block.samples; ++b)
    copy_lines(from + b * sample_, top, lines, scratch + b * pitch_);
  return scratch + left;
}

// Lines top .. top + lines - 1 of a sample, those outside of it as zeros.
template <class T>
void WindowRows<T>::copy_lines(const T* sample, index top, index lines, T* to) const {
  const index begin = std::min(std::max<index>(0, -top), lines);
  const index end = std::max(begin, std::min(lines, y_.size - top));
  std::fill(to, to + begin * line_, T(0));
  std::fill(to + end * line_, to + lines * line_, T(0));
  if (begin == end) return;
  const T* const from = sample + (top + begin) * x_.size * stride_;
  if (whole_lines_) {
    std::copy_n(from, (end - begin) * line_, to + begin * line_);
    return;
  }
  for (index j = begin; j < end; ++j)
    copy_line(from + (j - begin) * x_.size * stride_, to + j * line_);
}

template <class T>
void WindowRows<T>::copy_line(const T* from, T* to) const {
  const index positions = line_ / channels_;
  const index begin = std::min(std::max<index>(0, -x_.first), positions);
  const index end = std::max(begin, std::min(positions, x_.size - x_.first));
  std::fill(to, to + begin * channels_, T(0));
  std::fill(to + end * channels_, to + line_, T(0));
  from += (x_.first + begin) * stride_;
  to += begin * channels_;
  if (stride_ == channels_) {
    std::copy_n(from, (end - begin) * channels_, to);
    return;
  }
  for (index i = begin; i < end; ++i, from += stride_, to += channels_)
    std::copy_n(from, channels_, to);
}

template <class T>
void WindowRows<T>::multiply(kernels::Gemm<T> product, const Block& block, const T* loaded,
                             T* result) const {
  const kernels::Table<T>& kernel = kernels::table<T>();
  product.row0 = 0;
  product.row1 = block.rows;
  product.a = loaded;
  product.a_offsets = offsets_.data();
  product.segments = runs_;
  product.segment = run_;
  product.segment_stride = run_stride_;
  product.c = result + place_.first + block.sample * place_.sample + block.line0 * place_.y;
  product.c_offsets = results_.data();
  for (index i = 0; i < calls_; ++i) {
    kernel.gemm(product);
    product.a += call_stride_;
    product.b += runs_ * run_ * product.nr * kernel.lanes;
    product.accumulate = true;
  }
}

template class WindowRows<float>;
template class WindowRows<double>;

}  // namespace lstmfast::ops
