// Decoding: an encoder's outputs start a decoder, which goes on step by step from its own outputs,
// greedily or by beam search. Knows no layers and no language.
#pragma once

#include <cstdint>

#include "model/model.h"

namespace lstmfast::model {

constexpr std::int32_t kNoToken = -1;

struct DecodingOptions {
  index length = 1;                 // steps at most
  index beams = 1;                  // hypotheses of each sample that are continued; 1: greedy
  double length_penalty = 0;        // alpha
  double start = 0;                 // the first token, or all features of the first step
  std::int32_t stop = kNoToken;     // the token that ends a sequence
  std::int32_t padding = kNoToken;  // a token that is never chosen, and follows the end
};

// The best sequence of each sample: ids [count][length], or values [count][length][features] of a
// decoder without tokens, and scores [count], which may be null.
template <class T>
struct Decoded {
  std::int32_t* ids = nullptr;
  T* values = nullptr;
  double* scores = nullptr;
};

// The inputs of `decoder` are its own last output, [steps] or [steps][features], and the outputs of
// `encoder`: what it begins with, or looks at in every step. Its output is that of a step, of
// tokens their probabilities. A hypothesis has the score log(probability) / ((5 + tokens) /
// 6)^alpha, its stop token among them. Each step keeps the best hypotheses of all continuations;
// one that has ended stays as it is. A sample's result does not depend on the other samples. Throws
// std::invalid_argument unless the two models fit together, and for probabilities that are not
// numbers.
template <class T>
void decode(const Model<T>& encoder, const Model<T>& decoder, const Samples<T>& samples,
            index batch_size, const DecodingOptions& options, const Decoded<T>& out);

// The shape of one step of the decoder: (features), or () where it takes tokens.
template <class T>
layers::Shape step_shape(const Model<T>& decoder) {
  const layers::Graph<T>& graph = *decoder.definition().graph;
  return graph.elements(0).ids > 0 ? layers::Shape{} : graph.declared_shape(0).without(0);
}

}  // namespace lstmfast::model
