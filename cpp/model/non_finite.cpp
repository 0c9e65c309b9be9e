#include "model/non_finite.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <vector>

namespace lstmfast::model {
namespace {

// values [samples][sizes...]. `steps`: the first of the sizes counts steps. counts(sample, i): does
// value i of a sample matter?
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

}  // namespace

template <class T>
std::string non_finite_text(const Examples<T>& data, index rows, const index* order, index first,
                            index count, const ArrayNames& names) {
  std::vector<index> samples(static_cast<std::size_t>(count));
  if (order != nullptr) {
    std::copy_n(order, count, samples.begin());
    std::sort(samples.begin(), samples.end());
  } else {
    std::iota(samples.begin(), samples.end(), first);
  }
  const layers::Shape& shape = data.in.shape;
  const std::vector<index> x_sizes(shape.sizes, shape.sizes + shape.rank);
  const std::vector<index> y_sizes(data.y_shape.begin() + 1, data.y_shape.end());
  index of_row = 1;  // values of y for a row of the prediction
  for (const index n : y_sizes) of_row *= n;
  of_row = std::max<index>(1, of_row / rows);
  const auto weighs = [&](index sample, index i) {
    if (data.weights == nullptr) return true;
    const index row = data.weights_each > 1 ? std::min(i / of_row, data.weights_each - 1) : 0;
    return data.weights[sample * data.weights_each + row] != T(0);
  };
  const auto all = [](index, index) { return true; };
  std::string text = first_in(names.x, data.in.x, x_sizes, shape.rank > 1, samples, all);
  text += first_in(names.y, data.y, y_sizes, rows > 1 && !y_sizes.empty(), samples, weighs);
  if (data.weights == nullptr) return text;
  std::vector<index> weight_sizes;
  if (data.weights_each > 1) weight_sizes.push_back(data.weights_each);
  return text +
         first_in(names.weights, data.weights, weight_sizes, data.weights_each > 1, samples, all);
}

template std::string non_finite_text(const Examples<float>&, index, const index*, index, index,
                                     const ArrayNames&);
template std::string non_finite_text(const Examples<double>&, index, const index*, index, index,
                                     const ArrayNames&);

}  // namespace lstmfast::model
