// Draws one of several ids by scores. Knows no model.
#pragma once

#include <cstdint>

#include "base/plain.h"

namespace lstmfast::model {

struct Sampling {
  double temperature = 1;  // 0: always the best id
  index top_k = 0;         // the best ids that may be drawn; 0: all
  double top_p = 1;  // then the best of these whose probabilities first sum up to this; 1: all
};

enum class ScoreKind { probabilities, logits };

// Draws id i with a probability in proportion to p_i^(1 / temperature), p = scores [count] or
// softmax(scores); the lower of two ids with equal scores is the better one. `uniform`, from 0 to
// below 1, decides: it is held against the sums of the probabilities in the order of the ids.
// weights and order [count] are scratch. Returns -1 for scores that have no best finite one, or a
// NaN.
template <class T>
index sample(const Sampling& sampling, ScoreKind kind, index count, const T* scores, double uniform,
             double* weights, std::int32_t* order);

}  // namespace lstmfast::model
