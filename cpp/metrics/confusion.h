// Sums of the weights of positive and negative elements by decision, at one threshold or several.
// Knows no particular metric.
#pragma once

#include <vector>

#include "base/options.h"
#include "base/plain.h"

namespace lstmfast::metrics {

// The sums at one threshold. A prediction above it is a decision for "positive".
struct Confusion {
  double true_positives = 0, false_positives = 0, true_negatives = 0, false_negatives = 0;
};

// a / b; 0 where b is 0
inline double ratio(double a, double b) { return b == 0 ? 0 : a / b; }
inline double precision_of(const Confusion& c) {
  return ratio(c.true_positives, c.true_positives + c.false_positives);
}
inline double recall_of(const Confusion& c) {
  return ratio(c.true_positives, c.true_positives + c.false_negatives);
}

// Thresholds at even distances from 0 to 1. A prediction's place among them is then computed in the
// element type, which at a threshold itself may differ from comparing by a rounding error. Keras
// does so; so does this class.
bool are_even(const std::vector<double>& thresholds);

template <class T>
class Confusions {
 public:
  Confusions() = default;
  // `even`: thresholds are even, or are even but for an outer pair just below 0 and above 1.
  Confusions(std::vector<double> thresholds, bool even);

  index thresholds() const { return static_cast<index>(sorted_.size()); }
  void set_labels(index labels);  // and clears them; 1 by default
  index labels() const { return labels_; }
  void clear();

  // How many thresholds a prediction exceeds; 0 for NaN.
  index exceeded(T prediction) const;
  void add(index label, index exceeded, bool positive, double weight) {
    Pair& pair = sums_[static_cast<std::size_t>(label * (thresholds() + 1) + exceeded)];
    (positive ? pair.positive : pair.negative) += weight;
  }

  // At the thresholds in ascending order; valid until the next call. One thread at a time.
  const std::vector<Confusion>& of(index label) const;
  // The place of each threshold among these, in the order in which the thresholds were given.
  const std::vector<std::size_t>& places() const { return places_; }

 private:
  struct Pair {
    double positive = 0, negative = 0;
  };
  std::vector<T> sorted_;
  std::vector<std::size_t> places_;
  bool even_ = false;
  index labels_ = 1;
  std::vector<Pair> sums_;  // [labels][thresholds exceeded]
  mutable std::vector<Confusion> read_;
};

}  // namespace lstmfast::metrics
