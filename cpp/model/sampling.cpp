#include "model/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lstmfast::model {
namespace {

// Places the ids that may be drawn at the begin of `order`, ascending; returns how many they are.
index limit(const Sampling& sampling, index count, const double* weights, std::int32_t* order) {
  const auto better = [weights](std::int32_t a, std::int32_t b) {
    return weights[a] != weights[b] ? weights[a] > weights[b] : a < b;
  };
  std::iota(order, order + count, 0);
  index kept = sampling.top_k > 0 ? std::min(sampling.top_k, count) : count;
  if (kept < count) std::nth_element(order, order + kept, order + count, better);
  if (sampling.top_p < 1) {
    std::sort(order, order + kept, better);
    double total = 0, sum = 0;
    for (index i = 0; i < kept; ++i) total += weights[order[i]];
    index first = 0;
    while (first < kept && sum < sampling.top_p * total) sum += weights[order[first++]];
    kept = first;
  }
  std::sort(order, order + kept);
  return kept;
}

}  // namespace

template <class T>
index sample(const Sampling& sampling, ScoreKind kind, index count, const T* scores, double uniform,
             double* weights, std::int32_t* order) {
  const T* const best = std::max_element(scores, scores + count);
  const bool known = std::none_of(scores, scores + count, [](T x) { return std::isnan(x); });
  const bool logits = kind == ScoreKind::logits;
  if (!known || !std::isfinite(*best) || (!logits && *best <= 0)) return -1;
  if (sampling.temperature == 0) return best - scores;
  const double greatest = logits ? double(*best) : std::log(double(*best));
  for (index i = 0; i < count; ++i) {
    const double x = double(scores[i]);
    if (logits) {
      weights[i] = std::exp((x - greatest) / sampling.temperature);
    } else if (sampling.temperature == 1) {
      weights[i] = std::max(0.0, x);
    } else {
      weights[i] = x > 0 ? std::exp((std::log(x) - greatest) / sampling.temperature) : 0.0;
    }
  }
  const bool limited = sampling.top_k > 0 || sampling.top_p < 1;
  const index kept = limited ? limit(sampling, count, weights, order) : count;
  const auto id = [&](index i) { return limited ? index{order[i]} : i; };
  double total = 0, sum = 0;
  for (index i = 0; i < kept; ++i) total += weights[id(i)];
  index drawn = best - scores;
  for (index i = 0; i < kept && sum <= uniform * total; ++i) {
    if (weights[id(i)] == 0) continue;
    drawn = id(i);
    sum += weights[drawn];
  }
  return drawn;
}

template decltype(sample<float>) sample<float>;
template decltype(sample<double>) sample<double>;

}  // namespace lstmfast::model
