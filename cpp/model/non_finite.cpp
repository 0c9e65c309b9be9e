#include "model/non_finite.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <vector>

namespace lstmfast::model {
namespace {

// The text for values [samples][sizes...]. `steps`: the first of the sizes counts steps.
// counts(sample, i): whether value i of a sample is checked.
template <class T, class Counts>
std::string first_in(const std::string& name, const T* values, const std::vector<index>& sizes,
                     bool steps, const std::vector<index>& samples, Counts counts) {
  index size = 1;
  for (const index n : sizes) size *= n;
  for (const index sample : samples) {
    for (index i = 0; i < size; ++i) {
      const T value = values[sample * size + i];
      if (std::isfinite(value) || !counts(sample, i)) continue;
      std::ostringstream out;
      out << "; " << name << '[' << sample;
      index below = size, at = i;
      for (const index n : sizes) {
        below /= n;
        out << ", " << at / below;
        at %= below;
      }
      out << "] is "
          << (std::isnan(value) ? "nan"
              : value > 0       ? "inf"
                                : "-inf")
          << " (row " << sample;
      if (steps) out << ", step " << i / (size / sizes.front());
      out << ')';
      return out.str();
    }
  }
  return "";
}

std::string numbered(const std::string& name, std::size_t k, std::size_t count) {
  return count == 1 ? name : name + "[" + std::to_string(k) + "]";
}

// The text for one output: targets that count, and weights. `rows`: of one sample's prediction.
template <class T>
std::string first_in_target(const Target<T>& target, index rows, const std::vector<index>& samples,
                            const std::string& y, const std::string& weights) {
  if (target.y == nullptr) return "";
  const std::vector<index> sizes(target.shape.begin() + 1, target.shape.end());
  index of_row = 1;  // values of y for a row of the prediction
  for (const index n : sizes) of_row *= n;
  of_row = std::max<index>(1, of_row / rows);
  const auto weighs = [&](index sample, index i) {
    if (target.weights == nullptr) return true;
    const index row = target.weights_each > 1 ? std::min(i / of_row, target.weights_each - 1) : 0;
    return target.weights[sample * target.weights_each + row] != T(0);
  };
  std::string text = first_in(y, target.y, sizes, rows > 1 && !sizes.empty(), samples, weighs);
  if (target.weights == nullptr) return text;
  std::vector<index> weight_sizes;
  if (target.weights_each > 1) weight_sizes.push_back(target.weights_each);
  return text + first_in(weights, target.weights, weight_sizes, target.weights_each > 1, samples,
                         [](index, index) { return true; });
}

}  // namespace

template <class T>
std::string non_finite_text(const Examples<T>& data, const std::vector<index>& rows,
                            const index* order, index first, index count, const ArrayNames& names) {
  std::vector<index> samples(static_cast<std::size_t>(count));
  if (order != nullptr) {
    std::copy_n(order, count, samples.begin());
    std::sort(samples.begin(), samples.end());
  } else {
    std::iota(samples.begin(), samples.end(), first);
  }
  std::string text;
  const std::size_t inputs = data.in.inputs.size(), outputs = data.targets.size();
  for (std::size_t k = 0; k < inputs; ++k) {
    const InputArray<T>& input = data.in.inputs[k];
    if (input.values == nullptr) continue;
    const std::vector<index> sizes(input.shape.sizes, input.shape.sizes + input.shape.rank);
    text += first_in(numbered(names.x, k, inputs), input.values, sizes, input.shape.rank > 1,
                     samples, [](index, index) { return true; });
  }
  for (std::size_t k = 0; k < outputs; ++k) {
    text += first_in_target(data.targets[k], rows[k], samples, numbered(names.y, k, outputs),
                            numbered(names.weights, k, outputs));
  }
  return text;
}

template std::string non_finite_text(const Examples<float>&, const std::vector<index>&,
                                     const index*, index, index, const ArrayNames&);
template std::string non_finite_text(const Examples<double>&, const std::vector<index>&,
                                     const index*, index, index, const ArrayNames&);

}  // namespace lstmfast::model
