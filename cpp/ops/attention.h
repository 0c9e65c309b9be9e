// Attention: sums of values, weighted by the softmax of scores of queries and keys, sample by
// sample and head by head. Knows no layers.
#pragma once

#include "base/plain.h"

namespace lstmfast::ops {

// Vectors of all samples and heads: that of row r and head h is at data + r * stride + h * size.
// Rows of a sample are neighbours. `gradient` has rows of its own stride; null: not wanted.
template <class T>
struct HeadRows {
  const T* data = nullptr;
  index stride = 0;
  index size = 0;
  T* gradient = nullptr;
  index gradient_stride = 0;
};

// Scores are s = outer * q k, or, where `additive`, s = outer * sum over d of
// gains[d] tanh(inner * (q[d] + k[d])).
template <class T>
struct Attention {
  index batch = 0, heads = 1;
  index queries = 0, keys = 0;  // rows of a sample; there are as many values as keys
  bool additive = false;
  T outer = 1, inner = 1;
  const T* gains = nullptr;  // [q.size]; null: all 1

  // Which keys a query sees: of masks [batch][rows], 1: seen, or null.
  bool causal = false;  // only keys of its own row and of rows before it
  index window = 0;     // only keys less than so many rows away; 0: all
  const unsigned char *query_mask = nullptr, *value_mask = nullptr, *key_mask = nullptr;
  const T* pairs = nullptr;  // [batch][queries][keys]: above 0.5 where a key is seen; null: all are
  // Whether keys that are not seen have weight 0; else, and as in Keras's Attention, their scores
  // are 1e9 less, which differs for a query that sees none.
  bool excludes = false;
  // Whether dscores is of the weights after dropout.
  bool scores_dropped = false;

  HeadRows<T> q, k, v;  // v.size is that of y, too
  // [batch][heads][queries][keys]
  T* weights = nullptr;
  const T* keep = nullptr;     // factors of dropout; null: none
  T* dropped = nullptr;        // weights * keep, if there is keep
  const T* dscores = nullptr;  // gradient of what `scores_dropped` says; null: zero
  T* scratch = nullptr;        // [threads][attention_scratch(...)]
  int threads = 1;             // at most
  const T* dy = nullptr;       // gradient of y; null: zero
  index dy_stride = 0;
  double* sums = nullptr;  // [batch * heads][attention_sums(...)] out: the gradients of outer,
                           // inner and gains; null: not wanted
};

// Elements of scratch for one thread.
template <class T>
index attention_scratch(const Attention<T>& a, bool training);

// Numbers in the sums of a sample and head.
template <class T>
index attention_sums(const Attention<T>& a) {
  return 2 + (a.gains != nullptr ? a.q.size : 0);
}

// Sets weights, dropped and y, whose rows are y_stride apart.
template <class T>
void attend(const Attention<T>& a, T* y, index y_stride);

// Overwrites the gradients of q, k and v, and the sums.
template <class T>
void attend_backward(const Attention<T>& a);

}  // namespace lstmfast::ops
