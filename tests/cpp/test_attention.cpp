// Attention against plain loops in double: values and gradients, what masks hide, threads, and no
// memory in a second call.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "base/buffer.h"
#include "count_allocations.h"
#include "kernel_helpers.h"
#include "ops/attention.h"
#include "team_helpers.h"

namespace lstmfast::ops {
namespace {

using test::Numbers;
using test::Worst;
using Bytes = std::vector<unsigned char>;

struct Problem {
  index batch, heads, queries, keys, size, values;
  bool additive = false, causal = false;
  index window = 0;
  bool masked = false, excludes = false, dropout = false, scores_dropped = false;

  index items() const { return batch * heads; }
  index pairs() const { return queries * keys; }
};

const Problem kProblems[] = {
    {1, 1, 1, 1, 1, 1},
    {2, 2, 4, 5, 3, 6},
    {1, 1, 3, 0, 2, 2},
    {2, 3, 9, 33, 20, 18},
    {2, 1, 5, 19, 17, 3, true},
    {2, 2, 7, 7, 4, 5, false, true},
    {1, 2, 18, 18, 4, 5, false, false, 3},
    {1, 2, 18, 18, 4, 5, true, true, 4},
    {3, 2, 6, 8, 3, 2, false, false, 0, true},
    {3, 2, 6, 8, 3, 2, false, true, 2, true, true},
    {3, 2, 6, 8, 3, 2, true, false, 0, true, true},
    {2, 2, 6, 8, 3, 2, false, false, 0, false, false, true},
    {2, 2, 6, 8, 3, 2, true, false, 0, false, false, true, true},
};

// Arrays of a problem, with rows of q, k and v that are longer than their heads.
template <class T>
struct Arrays {
  const Problem& p;
  T outer = T(0.7), inner = T(1.3);
  std::vector<T> q, k, v, gains, keep, dscores, dy, pair_mask;
  Bytes query_mask, value_mask, key_mask;

  explicit Arrays(const Problem& problem) : p(problem) {
    Numbers numbers;
    const auto fill = [&](index count) {
      std::vector<T> to;
      for (index i = 0; i < count; ++i) to.push_back(static_cast<T>(numbers.next()));
      return to;
    };
    q = fill(p.batch * p.queries * stride(p.size));
    k = fill(p.batch * p.keys * stride(p.size));
    v = fill(p.batch * p.keys * stride(p.values));
    dy = fill(p.batch * p.queries * stride(p.values));
    dscores = fill(p.items() * p.pairs());
    if (p.additive) gains = fill(p.size);
    for (index i = 0; p.dropout && i < p.items() * p.pairs(); ++i)
      keep.push_back(numbers.next() < 0 ? T(0) : T(2));
    if (!p.masked) return;
    // every query sees the first key; where others are excluded, those of sample 0 see none
    for (index i = 0; i < p.batch * p.keys; ++i)
      value_mask.push_back(i % p.keys == 0 || numbers.next() < 0);
    if (!p.excludes) return;
    for (index i = 0; i < p.batch * p.queries; ++i)
      query_mask.push_back(i >= p.queries && numbers.next() < 0.5);
    for (index i = 0; i < p.batch * p.keys; ++i) key_mask.push_back(numbers.next() < 0.5);
    pair_mask = fill(p.batch * p.pairs());
  }

  index stride(index size) const { return p.heads * size + 3; }

  bool sees(index b, index i, index j) const {
    const auto hides = [](const auto& mask, index at) {
      return !mask.empty() && !(double(mask[test::size(at)]) > 0.5);
    };
    return !(p.causal && j > i) && !(p.window > 0 && std::abs(i - j) >= p.window) &&
           !hides(query_mask, b * p.queries + i) && !hides(value_mask, b * p.keys + j) &&
           !hides(key_mask, b * p.keys + j) && !hides(pair_mask, (b * p.queries + i) * p.keys + j);
  }
};

// y and gradients of one kind of numbers, with rows as those of `Arrays`.
template <class T>
struct Results {
  std::vector<T> weights, dropped, y, dq, dk, dv;
  std::vector<double> sums;

  explicit Results(const Arrays<T>& a)
      : weights(test::size(a.p.items() * a.p.pairs())),
        dropped(weights),
        y(a.dy.size()),
        dq(a.q.size()),
        dk(a.k.size()),
        dv(a.v.size()),
        sums(test::size(a.p.items() * (2 + index(a.gains.size())))) {}
};

// Memory of calls of `attend` and `attend_backward`.
template <class T>
class Calls {
 public:
  explicit Calls(const Arrays<T>& arrays) : arrays_(arrays), found(arrays) {
    const Problem& p = arrays.p;
    call_.batch = p.batch;
    call_.heads = p.heads;
    call_.queries = p.queries;
    call_.keys = p.keys;
    call_.additive = p.additive;
    call_.outer = arrays.outer;
    call_.inner = arrays.inner;
    call_.gains = or_null(arrays.gains);
    call_.causal = p.causal;
    call_.window = p.window;
    call_.query_mask = or_null(arrays.query_mask);
    call_.value_mask = or_null(arrays.value_mask);
    call_.key_mask = or_null(arrays.key_mask);
    call_.pairs = or_null(arrays.pair_mask);
    call_.excludes = p.excludes;
    call_.scores_dropped = p.scores_dropped;
    call_.q = {arrays.q.data(), arrays.stride(p.size), p.size, found.dq.data(),
               arrays.stride(p.size)};
    call_.k = {arrays.k.data(), arrays.stride(p.size), p.size, found.dk.data(),
               arrays.stride(p.size)};
    call_.v = {arrays.v.data(), arrays.stride(p.values), p.values, found.dv.data(),
               arrays.stride(p.values)};
    call_.weights = found.weights.data();
    call_.keep = or_null(arrays.keep);
    call_.dropped = found.dropped.data();
    call_.dscores = arrays.dscores.data();
    call_.dy = arrays.dy.data();
    call_.dy_stride = arrays.stride(p.values);
    call_.sums = found.sums.data();
    call_.threads = base::team::get_num_threads();
    scratch_.resize(call_.threads * attention_scratch(call_, true));
    call_.scratch = scratch_.data();
  }

  void run() {
    attend(call_, found.y.data(), arrays_.stride(arrays_.p.values));
    attend_backward(call_);
  }

 private:
  template <class V>
  static const V* or_null(const std::vector<V>& v) {
    return v.empty() ? nullptr : v.data();
  }

  const Arrays<T>& arrays_;
  Attention<T> call_;
  base::Buffer<T> scratch_;

 public:
  Results<T> found;
};

// The same by loops in double over single numbers.
template <class T>
struct Expected {
  std::vector<double> weights, y, dq, dk, dv, sums;

  explicit Expected(const Arrays<T>& a) {
    const Problem& p = a.p;
    const Results<T> shapes(a);
    weights.resize(shapes.weights.size());
    y.resize(shapes.y.size());
    dq.resize(shapes.dq.size());
    dk.resize(shapes.dk.size());
    dv.resize(shapes.dv.size());
    sums.resize(shapes.sums.size());
    for (index item = 0; item < p.items(); ++item) {
      const index b = item / p.heads, h = item % p.heads;
      double* const sum = sums.data() + item * (2 + index(a.gains.size()));
      const auto at = [&](index rows, index row, index size, index d) {
        return test::size((b * rows + row) * a.stride(size) + h * size + d);
      };
      for (index i = 0; i < p.queries; ++i) {
        const auto pair = [&](index j) { return test::size(item * p.pairs() + i * p.keys + j); };
        const auto q = [&](index d) { return at(p.queries, i, p.size, d); };
        const auto k = [&](index j, index d) { return at(p.keys, j, p.size, d); };
        const auto hidden = [&](index j, index d) {
          return std::tanh(double(a.inner) * (double(a.q[q(d)]) + double(a.k[k(j, d)])));
        };
        const auto gain = [&](index d) { return double(a.gains[test::size(d)]); };
        std::vector<double> raw(test::size(p.keys)), dweights(raw);
        double total = 0;
        for (index j = 0; j < p.keys; ++j) {
          double& s = raw[test::size(j)];
          for (index d = 0; d < p.size; ++d)
            s += p.additive ? gain(d) * hidden(j, d) : double(a.q[q(d)]) * double(a.k[k(j, d)]);
          weights[pair(j)] = a.sees(b, i, j) ? std::exp(double(a.outer) * s) : 0.0;
          total += weights[pair(j)];
        }
        double mean = 0;
        for (index j = 0; j < p.keys; ++j) {
          double& w = weights[pair(j)];
          if (total > 0) w /= total;
          const double keep = a.keep.empty() ? 1.0 : double(a.keep[pair(j)]);
          double& dw = dweights[test::size(j)];
          for (index d = 0; d < p.values; ++d) {
            const std::size_t from = at(p.keys, j, p.values, d), to = at(p.queries, i, p.values, d);
            y[to] += w * keep * double(a.v[from]);
            dv[from] += w * keep * double(a.dy[to]);
            dw += keep * double(a.dy[to]) * double(a.v[from]);
          }
          dw += (p.scores_dropped ? keep : 1.0) * double(a.dscores[pair(j)]);
          mean += w * dw;
        }
        for (index j = 0; j < p.keys; ++j) {
          const double ds = weights[pair(j)] * (dweights[test::size(j)] - mean);
          sum[0] += ds * raw[test::size(j)];
          for (index d = 0; d < p.size; ++d) {
            const double one = double(a.q[q(d)]), other = double(a.k[k(j, d)]);
            double dz = double(a.outer) * ds;
            if (p.additive) {
              const double t = hidden(j, d);
              sum[2 + d] += dz * t;
              dz *= gain(d) * (1 - t * t);
              sum[1] += dz * (one + other);
              dz *= double(a.inner);
            }
            dq[q(d)] += dz * (p.additive ? 1.0 : other);
            dk[k(j, d)] += dz * (p.additive ? 1.0 : one);
          }
        }
      }
    }
  }
};

// Largest errors of what is computed from numbers of at most 1, by the magnitudes of all terms.
template <class T>
struct Bounds {
  double weights, y, gradients, sums;

  explicit Bounds(const Problem& p) {
    const double eps = std::numeric_limits<T>::epsilon(), D = double(p.size), K = double(p.keys),
                 Q = double(p.queries), E = double(p.values);
    // a score is a sum of D terms, of tanh within 4 ulp and of its argument's three roundings
    const double score = eps * D * (D + (p.additive ? 10.0 : 2.0));
    // of exp(s - the largest) within 4 ulp, divided by the sum of K
    const double of_weight = 2 * score + eps * (K + 12);
    const double keep = p.dropout ? 2.0 : 1.0;
    weights = of_weight;
    y = keep * (of_weight + eps * (K + 2));  // the weights of a row add up to 1
    // |dweights| <= keep E + 1 and their differences twice that; a column has Q rows of them
    const double slopes = 2 * (keep * E + 1);
    gradients = 1.3 * Q * slopes * (2 * of_weight + eps * (E + 2 * K + Q + 20));
    sums = 2 * D * gradients;
  }
};

template <class V, class W>
double worst_of(const std::vector<V>& found, const std::vector<W>& expected) {
  REQUIRE(found.size() == expected.size());
  Worst worst;
  for (std::size_t i = 0; i < found.size(); ++i) worst.add(double(found[i]), double(expected[i]));
  return worst.value();
}

}  // namespace

TEST_CASE_TEMPLATE("attention: values and gradients are sums in double", T, float, double) {
  for (const Problem& p : kProblems) {
    CAPTURE(&p - kProblems);
    const Arrays<T> a(p);
    Calls<T> calls(a);
    calls.run();
    const Expected<T> expected(a);
    const Bounds<T> bounds(p);
    const Results<T>& found = calls.found;
    CHECK(worst_of(found.weights, expected.weights) <= bounds.weights);
    CHECK(worst_of(found.y, expected.y) <= bounds.y);
    CHECK(worst_of(found.dq, expected.dq) <= bounds.gradients);
    CHECK(worst_of(found.dk, expected.dk) <= bounds.gradients);
    CHECK(worst_of(found.dv, expected.dv) <= bounds.gradients);
    CHECK(worst_of(found.sums, expected.sums) <= bounds.sums);
  }
}

TEST_CASE_TEMPLATE("attention: what is not seen has no weight and no gradient", T, float, double) {
  for (const Problem& p : kProblems) {
    CAPTURE(&p - kProblems);
    const Arrays<T> a(p);
    Calls<T> calls(a);
    calls.run();
    for (index item = 0; item < p.items(); ++item) {
      for (index i = 0; i < p.queries; ++i) {
        double total = 0;
        bool any = false;
        for (index j = 0; j < p.keys; ++j) {
          const T w = calls.found.weights[test::size(item * p.pairs() + i * p.keys + j)];
          const bool seen = a.sees(item / p.heads, i, j);
          if (!seen) CHECK(w == T(0));
          any = any || seen;
          total += double(w);
        }
        CHECK(std::fabs(total - (any ? 1.0 : 0.0)) <=
              std::numeric_limits<T>::epsilon() * double(p.keys + 1));
      }
    }
  }
}

TEST_CASE("attention: same bits for every number of threads, and no memory once warm") {
  const Problem problems[] = {{3, 2, 130, 130, 16, 16, false, true},
                              {3, 2, 40, 50, 16, 16, true},
                              {5, 1, 150, 140, 24, 8, false, false, 20, true, true, true}};
  for (const Problem& p : problems) {
    const Arrays<float> a(p);
    const base::Threads one(1);
    Calls<float> alone(a);
    alone.run();
    for (const int n : {2, 3}) {
      const base::Threads some(n);
      Calls<float> shared(a);
      shared.run();
      const long before = test::allocations;
      const auto buffers = base::allocation_count();
      shared.run();
      CHECK(test::allocations == before);
      CHECK(base::allocation_count() == buffers);
      CHECK(shared.found.weights == alone.found.weights);
      CHECK(shared.found.y == alone.found.y);
      CHECK(shared.found.dq == alone.found.dq);
      CHECK(shared.found.dk == alone.found.dk);
      CHECK(shared.found.dv == alone.found.dv);
      CHECK(shared.found.sums == alone.found.sums);
    }
  }
}

}  // namespace lstmfast::ops
