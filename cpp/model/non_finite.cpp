#include "model/non_finite.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lstmfast::model {
namespace {

// The text for the first value that is not finite, of values [samples][each]. `steps`: the first of
// the axes counts steps. counts(sample, i): whether value i of a sample is checked.
template <class T, class Counts>
std::string first_in(const std::string& name, const T* values, const base::BatchShape& each,
                     bool steps, const std::vector<index>& samples, Counts counts) {
  const index size = each.count();
  for (const index sample : samples) {
    for (index i = 0; i < size; ++i) {
      const index at = sample * size + i;
      const T value = values[at];
      if (std::isfinite(value) || !counts(sample, i)) continue;
      const char* const shown = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
      const std::string step = steps ? ", step " + std::to_string(i / (size / each.axes[0])) : "";
      return "; " + element_text(name, at, each) + " is " + shown + " (row " +
             std::to_string(sample) + step + ")";
    }
  }
  return "";
}

bool always(index, index) { return true; }

// The text for one output: targets that count, and weights. `rows`: of one sample's prediction.
template <class T>
std::string first_in_target(const Target<T>& target, index rows, const std::vector<index>& samples,
                            const std::string& y, const std::string& weights) {
  if (target.y == nullptr) return "";
  const base::BatchShape each = target.first(1);
  const index of_row = std::max<index>(1, each.count() / rows);  // values for a row
  const bool by_row = target.weights_each > 1;
  const auto weighs = [&](index sample, index i) {
    if (target.weights == nullptr) return true;
    const index row = by_row ? std::min(i / of_row, target.weights_each - 1) : 0;
    return target.weights[sample * target.weights_each + row] != T(0);
  };
  std::string text = first_in(y, target.y, each, rows > 1 && each.rank > 0, samples, weighs);
  if (target.weights == nullptr) return text;
  return text + first_in(weights, target.weights, {1, &target.weights_each, by_row ? 1 : 0}, by_row,
                         samples, always);
}

}  // namespace

template <class T>
std::string non_finite_text(const Examples<T>& data, const layers::Shapes& outputs,
                            const index* order, index first, index count, const ArrayNames& names) {
  std::vector<index> samples(static_cast<std::size_t>(count));
  if (order != nullptr) {
    std::copy_n(order, count, samples.begin());
    std::sort(samples.begin(), samples.end());
  } else {
    std::iota(samples.begin(), samples.end(), first);
  }
  std::string text;
  const std::size_t inputs = data.in.inputs.size(), targets = data.targets.size();
  for (std::size_t k = 0; k < inputs; ++k) {
    const InputArray<T>& input = data.in.inputs[k];
    if (input.values == nullptr) continue;
    text +=
        first_in(numbered(names.x, k, inputs), input.values,
                 {1, input.shape.sizes, input.shape.rank}, input.shape.rank > 1, samples, always);
  }
  for (std::size_t k = 0; k < targets; ++k) {
    text += first_in_target(data.targets[k], outputs[k].rows(), samples,
                            numbered(names.y, k, targets), numbered(names.weights, k, targets));
  }
  return text;
}

template std::string non_finite_text(const Examples<float>&, const layers::Shapes&, const index*,
                                     index, index, const ArrayNames&);
template std::string non_finite_text(const Examples<double>&, const layers::Shapes&, const index*,
                                     index, index, const ArrayNames&);

}  // namespace lstmfast::model
