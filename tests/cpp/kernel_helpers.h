// What the tests of single kernels share: numbers, panels, how close sums are.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "support.h"

namespace lstmfast::test {

inline std::size_t size(index n) { return static_cast<std::size_t>(n); }

template <class T>
std::vector<T> some(index n, double scale = 1) {
  Numbers numbers;
  std::vector<T> v(size(n));
  for (T& e : v) e = static_cast<T>(scale * numbers.next());
  return v;
}

// Relative error of a sum of so many terms: a rounding each.
template <class T>
double closeness(index terms) {
  return std::numeric_limits<T>::epsilon() * (2 + static_cast<double>(terms));
}

// fma() of the kernels: the baseline ISA rounds twice.
template <class T>
T multiply_add(T a, T b, T c) {
  static const bool fused = std::string(kernels::isa()) != "baseline";
  const T product = a * b;
  return fused ? std::fma(a, b, c) : product + c;
}

// B as panels of nr vectors: element (k, n).
template <class T>
T panel_element(const std::vector<T>& b, index depth, index width, index k, index n) {
  return b[size(n / width * depth * width + k * width + n % width)];
}

// The largest error so far; a NaN stays.
class Worst {
 public:
  void add(double found, double expected) {
    const double error = std::fabs(found - expected);
    if (!(error <= worst_)) worst_ = error;
  }
  double value() const { return worst_; }

 private:
  double worst_ = 0;
};

}  // namespace lstmfast::test
