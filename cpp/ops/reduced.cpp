#include "ops/reduced.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "ops/plan.h"

namespace lstmfast::ops {
namespace {

constexpr index kWhole = 127;    // the largest element of int8
constexpr index kMaxLanes = 16;  // of any ISA: whole vectors are written to rows of A
constexpr index kFloatBytes = sizeof(float);

std::uint16_t to_bfloat16(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  if (std::isnan(x)) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float from_bfloat16(std::uint16_t x) {
  const std::uint32_t bits = std::uint32_t{x} << 16;
  float out;
  std::memcpy(&out, &bits, sizeof(out));
  return out;
}

}  // namespace

index ReducedMatrix::group() const {
  return precision == Precision::bfloat16 ? 2 : kernels::reduced_table().group;
}

index ReducedMatrix::panel_bytes() const {
  const index groups = (layout.rows + group() - 1) / group();
  const index head = precision == Precision::int8 ? 2 * kFloatBytes : 0;
  return width() * (head + groups * group() * element_bytes());
}

// Calls f(row, column, place of the column in all panels' heads, byte of the element).
template <class F>
void ReducedMatrix::for_each(F f) const {
  const index size = element_bytes(), of_group = group();
  const index head = precision == Precision::int8 ? 2 * kFloatBytes * width() : 0;
  for_each_run(layout, [&](const PartRun& run) {
    const index first = run.group * layout.lanes;
    for (index i = 0; i < run.count; ++i) {
      const index at = (run.row / of_group * width() + first + i) * of_group + run.row % of_group;
      f(run.row, run.column + i, run.panel * panel_bytes() + (first + i) * kFloatBytes,
        run.panel * panel_bytes() + head + at * size);
    }
  });
}

ReducedElements ReducedMatrix::zeros() const {
  const index scales = precision == Precision::int8 ? layout.columns : 0;
  return {std::vector<unsigned char>(static_cast<std::size_t>(elements() * element_bytes())),
          std::vector<float>(static_cast<std::size_t>(scales))};
}

void ReducedMatrix::pack(const ReducedElements& elements, unsigned char* out) const {
  const index size = element_bytes();
  for_each([&](index row, index column, index head, index byte) {
    const unsigned char* const from =
        elements.bytes.data() + (row * layout.columns + column) * size;
    std::copy_n(from, size, out + byte);
    if (precision != Precision::int8) return;
    std::memcpy(out + head, elements.scales.data() + column, kFloatBytes);
    unsigned char* const start = out + head + width() * kFloatBytes;
    std::int32_t sum;
    std::memcpy(&sum, start, sizeof(sum));
    sum -= kernels::reduced_table().offset * static_cast<std::int8_t>(*from);
    std::memcpy(start, &sum, sizeof(sum));
  });
}

ReducedElements ReducedMatrix::unpack(const unsigned char* block) const {
  ReducedElements out = zeros();
  const index size = element_bytes();
  for_each([&](index row, index column, index head, index byte) {
    std::copy_n(block + byte, size, out.bytes.data() + (row * layout.columns + column) * size);
    if (precision == Precision::int8)
      std::memcpy(out.scales.data() + column, block + head, kFloatBytes);
  });
  return out;
}

ReducedElements ReducedMatrix::reduce(const float* numbers,
                                      const std::vector<float>& scales) const {
  ReducedElements out = zeros();
  if (precision == Precision::int8) out.scales = scales;
  for (index i = 0; i < elements(); ++i) {
    if (precision == Precision::int8) {
      const float scale = scales[static_cast<std::size_t>(i % layout.columns)];
      const float whole = scale == 0 ? 0 : std::nearbyint(numbers[i] / scale);
      out.bytes[static_cast<std::size_t>(i)] =
          static_cast<unsigned char>(static_cast<std::int8_t>(whole));
    } else {
      const std::uint16_t bits = to_bfloat16(numbers[i]);
      std::memcpy(out.bytes.data() + 2 * i, &bits, sizeof(bits));
    }
  }
  return out;
}

void ReducedMatrix::widen(const ReducedElements& elements_, float* numbers) const {
  for (index i = 0; i < elements(); ++i) {
    if (precision == Precision::int8) {
      const auto whole = static_cast<std::int8_t>(elements_.bytes[static_cast<std::size_t>(i)]);
      numbers[i] = static_cast<float>(whole) *
                   elements_.scales[static_cast<std::size_t>(i % layout.columns)];
    } else {
      std::uint16_t bits;
      std::memcpy(&bits, elements_.bytes.data() + 2 * i, sizeof(bits));
      numbers[i] = from_bfloat16(bits);
    }
  }
}

void ReducedMatrix::widen_columns(const unsigned char* block, index stride, float* numbers) const {
  for_each([&](index row, index column, index, index byte) {
    std::uint16_t bits;
    std::memcpy(&bits, block + byte, sizeof(bits));
    numbers[column * stride + row] = from_bfloat16(bits);
  });
}

kernels::Reduced ReducedMatrix::operand(const unsigned char* block, unsigned char* scratch,
                                        index rows) const {
  if (!*this) return {};
  const index scales = room(rows) > 0 ? (rows * kFloatBytes + 63) / 64 * 64 : 0;
  return {precision,
          block,
          panel_bytes(),
          static_cast<int>(layout.groups),
          0,
          scratch + scales,
          rows > 0 ? (room(rows) - scales) / rows : 0,
          reinterpret_cast<float*>(scratch),
          static_cast<int>(layout.groups),
          0,
          nullptr,
          plan().l2};
}

index ReducedMatrix::room(index rows) const {
  if (precision != Precision::int8) return 0;
  const index whole = (layout.rows + kMaxLanes - 1) / kMaxLanes * kMaxLanes;
  return (rows * kFloatBytes + 63) / 64 * 64 + rows * whole * (kFloatBytes / group());
}

void check_reduced(const ReducedMatrix& matrix) {
  LF_CHECK(matrix.precision != Precision::int8 || matrix.layout.rows <= ReducedMatrix::kMaxRows,
           "[model.quantize] a kernel has " << matrix.layout.rows << " rows; expected at most "
                                            << ReducedMatrix::kMaxRows);
}

std::vector<float> scales_of(const std::vector<Floats>& matrices, index columns) {
  std::vector<float> out(static_cast<std::size_t>(columns), 0.0F);
  for (const Floats& each : matrices) {
    for (index i = 0; i < each.rows * columns; ++i) {
      float& most = out[static_cast<std::size_t>(i % columns)];
      most = std::max(most, std::abs(each.data[i]));
    }
  }
  for (float& scale : out) {
    scale /= static_cast<float>(kWhole);
    if (scale < std::numeric_limits<float>::min()) scale = 0;  // the kernels' arithmetic flushes it
  }
  return out;
}

}  // namespace lstmfast::ops
