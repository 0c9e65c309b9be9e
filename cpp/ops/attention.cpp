#include "ops/attention.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/table.h"
#include "ops/matrix.h"
#include "ops/vector.h"

namespace lstmfast::ops {
namespace {

constexpr double kNotSeen = 1e9;  // as in Keras

template <class T>
void scale_rows(index rows, index columns, T factor, T* x, index stride) {
  for (index r = 0; r < rows; ++r) {
    for (index c = 0; c < columns; ++c) x[r * stride + c] *= factor;
  }
}

// What a thread works on: one sample and head.
template <class T>
struct Item {
  const Attention<T>& a;
  index number, sample, head;
  T* scratch;

  Item(const Attention<T>& a_, index number_, T* scratch_)
      : a(a_),
        number(number_),
        sample(number / a_.heads),
        head(number % a_.heads),
        scratch(scratch_) {}

  index pairs() const { return a.queries * a.keys; }
  Matrix<T> of(const HeadRows<T>& rows, index count) const {
    return {rows.data + sample * count * rows.stride + head * rows.size, rows.stride, 1};
  }
  T* gradient(const HeadRows<T>& rows, index count) const {
    return rows.gradient == nullptr
               ? nullptr
               : rows.gradient + sample * count * rows.gradient_stride + head * rows.size;
  }
  const T* used() const { return (a.keep != nullptr ? a.dropped : a.weights) + number * pairs(); }

  bool sees(index i, index j) const {
    const index key = sample * a.keys + j, query = sample * a.queries + i;
    return !(a.causal && j > i) && !(a.window > 0 && std::abs(i - j) >= a.window) &&
           (a.value_mask == nullptr || a.value_mask[key] != 0) &&
           (a.key_mask == nullptr || a.key_mask[key] != 0) &&
           (a.query_mask == nullptr || a.query_mask[query] != 0) &&
           (a.pairs == nullptr || a.pairs[query * a.keys + j] > T(0.5));
  }

  // t [keys][size] = tanh(inner (q + k)) for one query.
  void hidden(const T* query, const Matrix<T>& keys, T* t) const {
    const index size = a.q.size;
    for (index j = 0; j < a.keys; ++j) {
      for (index d = 0; d < size; ++d)
        t[j * size + d] = a.inner * (query[d] + keys.data[j * keys.row + d]);
    }
    ops::activate<T>({Activation::tanh}, a.keys, size, t, size, t, size);
  }
  T gain(index d) const { return a.gains == nullptr ? T(1) : a.gains[d]; }

  void scores(T* s) const {
    const Matrix<T> q = of(a.q, a.queries), k = of(a.k, a.keys);
    const index size = a.q.size;
    if (!a.additive) {
      product(a.queries, size, a.keys, q.data, q.row, k.transposed(), s, a.keys, scratch);
      if (a.outer != T(1)) scale_rows(1, pairs(), a.outer, s, 0);
      return;
    }
    for (index i = 0; i < a.queries; ++i, s += a.keys) {
      hidden(q.data + i * q.row, k, scratch);
      for (index j = 0; j < a.keys; ++j) {
        T sum = 0;
        for (index d = 0; d < size; ++d) sum += gain(d) * scratch[j * size + d];
        s[j] = a.outer * sum;
      }
    }
  }

  void forward(T* y, index y_stride) const {
    T* const w = a.weights + number * pairs();
    scores(w);
    const bool all = !a.causal && a.window == 0 && a.value_mask == nullptr &&
                     a.key_mask == nullptr && a.query_mask == nullptr && a.pairs == nullptr;
    for (index i = 0; i < a.queries && a.keys > 0; ++i) {
      T* const row = w + i * a.keys;
      bool any = all;
      for (index j = 0; !all && j < a.keys; ++j) {
        if (sees(i, j)) {
          any = true;
        } else {
          row[j] = a.excludes ? T(-kNotSeen) : row[j] - T(kNotSeen);
        }
      }
      if (a.excludes && !any) {
        std::fill_n(row, a.keys, T(0));
      } else {
        kernels::table<T>().softmax({1, a.keys, row, a.keys, row, a.keys});
      }
    }
    if (a.keep != nullptr) {
      for (index e = 0; e < pairs(); ++e)
        a.dropped[number * pairs() + e] = w[e] * a.keep[number * pairs() + e];
    }
    product(a.queries, a.keys, a.v.size, used(), a.keys, of(a.v, a.keys),
            y + sample * a.queries * y_stride + head * a.v.size, y_stride, scratch);
  }

  void backward() const {
    const index Q = a.queries, K = a.keys, E = a.v.size, count = pairs();
    T* const ds = scratch;
    T* const turned = ds + whole_lines(count);
    T* const own_dq = turned + whole_lines(count);
    T* const more = own_dq + whole_lines(Q * a.q.size);
    const Matrix<T> v = of(a.v, K);
    const T* const dy = a.dy == nullptr ? nullptr : a.dy + sample * Q * a.dy_stride + head * E;
    const Matrix<T> dy_rows{dy, a.dy_stride, 1};
    T* const dv = gradient(a.v, K);
    if (dv != nullptr) {
      for (index j = 0; dy == nullptr && j < K; ++j)
        std::fill_n(dv + j * a.v.gradient_stride, E, T(0));
      if (dy != nullptr) {
        transpose(Q, K, used(), turned);
        product(K, Q, E, turned, Q, dy_rows, dv, a.v.gradient_stride, more);
      }
    }
    T *const dq = gradient(a.q, Q), *const dk = gradient(a.k, K);
    if (dq == nullptr && dk == nullptr && a.sums == nullptr) return;
    if (dy == nullptr) {
      std::fill_n(ds, count, T(0));
    } else {
      product(Q, E, K, dy, a.dy_stride, v.transposed(), ds, K, more);
    }
    const T* const w = a.weights + number * count;
    const T* const keep = a.keep == nullptr ? nullptr : a.keep + number * count;
    const T* const dscores = a.dscores == nullptr ? nullptr : a.dscores + number * count;
    for (index e = 0; e < count; ++e) {
      if (dscores != nullptr && a.scores_dropped) ds[e] += dscores[e];
      if (keep != nullptr) ds[e] *= keep[e];
      if (dscores != nullptr && !a.scores_dropped) ds[e] += dscores[e];
    }
    if (K > 0) kernels::table<T>().softmax_backward({Q, K, w, K, ds, K, ds, K});
    double* const sums = a.sums == nullptr ? nullptr : a.sums + number * attention_sums(a);
    if (sums != nullptr) std::fill_n(sums, attention_sums(a), 0.0);
    if (a.additive) return additive_backward(ds, dq, dk, sums, more);
    const Matrix<T> q = of(a.q, Q), k = of(a.k, K);
    const index D = a.q.size;
    if (dq != nullptr || sums != nullptr) {  // the sum over pairs of ds q k, as that of q dq
      T* const own = dq != nullptr ? dq : own_dq;
      const index stride = dq != nullptr ? a.q.gradient_stride : D;
      product(Q, K, D, ds, K, k, own, stride, more);
      for (index i = 0; sums != nullptr && i < Q; ++i) {
        for (index d = 0; d < D; ++d)
          sums[0] += static_cast<double>(q.data[i * q.row + d]) * own[i * stride + d];
      }
      if (a.outer != T(1)) scale_rows(Q, D, a.outer, own, stride);
    }
    if (dk == nullptr) return;
    transpose(Q, K, ds, turned);
    product(K, Q, D, turned, Q, q, dk, a.k.gradient_stride, more);
    if (a.outer != T(1)) scale_rows(K, D, a.outer, dk, a.k.gradient_stride);
  }

  void additive_backward(const T* ds, T* dq, T* dk, double* sums, T* t) const {
    const Matrix<T> q = of(a.q, a.queries), k = of(a.k, a.keys);
    const index D = a.q.size;
    for (index j = 0; dk != nullptr && j < a.keys; ++j)
      std::fill_n(dk + j * a.k.gradient_stride, D, T(0));
    for (index i = 0; i < a.queries; ++i) {
      T* const dqi = dq == nullptr ? nullptr : dq + i * a.q.gradient_stride;
      if (dqi != nullptr) std::fill_n(dqi, D, T(0));
      hidden(q.data + i * q.row, k, t);
      for (index j = 0; j < a.keys; ++j) {
        const T slope = ds[i * a.keys + j], dh = a.outer * slope;
        for (index d = 0; d < D; ++d) {
          const T h = t[j * D + d], dz = dh * gain(d) * (1 - h * h);
          if (dqi != nullptr) dqi[d] += a.inner * dz;
          if (dk != nullptr) dk[j * a.k.gradient_stride + d] += a.inner * dz;
          if (sums == nullptr) continue;
          sums[0] += static_cast<double>(slope * gain(d) * h);
          sums[1] += static_cast<double>(dz * (q.data[i * q.row + d] + k.data[j * k.row + d]));
          if (a.gains != nullptr) sums[2 + d] += static_cast<double>(dh * h);
        }
      }
    }
  }
};

// Calls f(item) for all samples and heads, shared among threads.
template <class T, class F>
void for_items_of(const Attention<T>& a, double passes, index scratch, F f) {
  const double flops = passes * 2 * double(a.queries) * double(a.keys) *
                       double(a.q.size * (a.additive ? 10 : 1) + a.v.size + 10);
  for_products(a.batch * a.heads, flops, a.threads, a.scratch, scratch,
               [&](index number, T* own) { f(Item<T>(a, number, own)); });
}

}  // namespace

template <class T>
index attention_scratch(const Attention<T>& a, bool training) {
  const index Q = a.queries, K = a.keys, D = a.q.size, E = a.v.size;
  const index hidden = a.additive ? K * D : 0;
  index panels = std::max(a.additive ? hidden : panels_size<T>(D, K), panels_size<T>(K, E));
  if (training) {
    for (const index size : {panels_size<T>(Q, E), panels_size<T>(E, K), panels_size<T>(K, D),
                             panels_size<T>(Q, D), hidden})
      panels = std::max(panels, size);
    panels += whole_lines(Q * D) + 2 * whole_lines(Q * K);
  }
  return whole_lines(panels);
}

template <class T>
void attend(const Attention<T>& a, T* y, index y_stride) {
  // a training pass may keep more, which moves no element of this one
  for_items_of(a, 1, attention_scratch(a, false),
               [&](const Item<T>& item) { item.forward(y, y_stride); });
}

template <class T>
void attend_backward(const Attention<T>& a) {
  for_items_of(a, 2, attention_scratch(a, true), [](const Item<T>& item) { item.backward(); });
}

template index attention_scratch(const Attention<float>&, bool);
template index attention_scratch(const Attention<double>&, bool);
template void attend(const Attention<float>&, float*, index);
template void attend(const Attention<double>&, double*, index);
template void attend_backward(const Attention<float>&);
template void attend_backward(const Attention<double>&);

}  // namespace lstmfast::ops
