#include "layers/windows.h"

#include <algorithm>

namespace lstmfast::layers {
namespace {

const std::vector<std::string> kPaddings = {"valid", "same", "causal"};

}  // namespace

base::Option sizes_option(const char* name, base::Fallback fallback, int axes) {
  base::Option out = base::extents(name, std::move(fallback), 1, kMaxUnits);
  out.takes |= base::kInteger;
  const std::string count = std::to_string(axes);
  out.expected = "an integer from 1 to " + std::to_string(kMaxUnits) + ", or a tuple of " + count +
                 (out.fallback.none() && !out.required ? ", or None" : "");
  out.normalise = [axes, expected = out.expected](base::Value& value) -> std::string {
    value = sizes_of(value, axes);
    const base::Extents& sizes = value.extents();
    const bool good = sizes.size() == static_cast<std::size_t>(axes) &&
                      std::count(sizes.begin(), sizes.end(), base::kAnyExtent) == 0;
    return good ? "" : expected;
  };
  return out;
}

base::Extents sizes_of(const base::Value& value, int axes) {
  if (value.kind() == base::Value::Kind::extents) return value.extents();
  return base::Extents(static_cast<std::size_t>(axes), value.integer());
}

base::Option padding_option(int axes, bool causal) {
  const auto end = kPaddings.end() - (causal && axes == 1 ? 0 : 1);
  return base::text("padding", kPaddings[0], {kPaddings.begin(), end});
}

ops::Padding padding_of(const base::Value& value) {
  const auto at = std::find(kPaddings.begin(), kPaddings.end(), value.text());
  return static_cast<ops::Padding>(at - kPaddings.begin());
}

base::OptionTable convolution_options(int axes, bool causal) {
  const auto together = [](const base::Values& o) {  // as in Keras
    const auto above_one = [&](const char* name) {
      const base::Extents sizes = sizes_of(o[name], 1);
      return std::any_of(sizes.begin(), sizes.end(), [](index size) { return size > 1; });
    };
    if (above_one("strides") && above_one("dilation_rate")) {
      o.fail("dilation_rate", "1 with strides above 1");
    }
  };
  return {{base::integer("filters", base::kRequired, 1, kMaxUnits),
           sizes_option("kernel_size", base::kRequired, axes), sizes_option("strides", 1, axes),
           padding_option(axes, causal), sizes_option("dilation_rate", 1, axes)},
          together};
}

WindowAxes convolution_axes(const base::Values& options, int axes) {
  return {axes, sizes_of(options["kernel_size"], axes), sizes_of(options["strides"], axes),
          sizes_of(options["dilation_rate"], axes), padding_of(options["padding"])};
}

kernels::Windows WindowAxes::windows(const Shape& input, int axis) const {
  if (axis >= axes) return {1, 1, 1, 1, 0, 1};
  const index size = input.sizes[axis];
  if (taps.empty()) return {size, size, 1, 1, 0, 1};
  const auto k = static_cast<std::size_t>(axis);
  return ops::make_windows(size, taps[k], strides[k], dilation[k], padding);
}

Shape WindowAxes::output_shape(const std::string& kind, const Shape& input, index features,
                               const std::string& line) const {
  const std::string form = axes == 1 ? "(" + line + ", features)" : "(rows, columns, features)";
  check_input(input.rank == axes + 1, kind, input, form);
  Shape out;
  for (int i = 0; i < axes; ++i) {
    if (input.sizes[i] == kAnySize) {
      out.append(taps.empty() ? 1 : kAnySize);
      continue;
    }
    const kernels::Windows w = windows(input, i);
    const index least = padding == ops::Padding::valid && !taps.empty() ? ops::span_of(w) : 1;
    const std::string names[] = {axes == 1 ? line : "rows", "columns"};
    check_input(input.sizes[i] >= least, kind, input,
                form + " with at least " + std::to_string(least) + " " + names[i] +
                    ", the size of a window");
    out.append(w.count);
  }
  out.append(features);
  return out;
}

}  // namespace lstmfast::layers
