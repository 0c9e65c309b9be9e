// Convolutions and pooling against sums in double over all windows: values, gradients, threads, and
// no memory in a second call.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "count_allocations.h"
#include "kernel_helpers.h"
#include "ops/convolution.h"
#include "ops/pooling.h"
#include "team_helpers.h"

namespace lstmfast::ops {
namespace {

using kernels::Windows;
using test::Numbers;
using test::Worst;

struct Problem {
  Windows y, x;
  index channels, outputs, batch;

  index positions() const { return y.size * x.size; }
  index windows() const { return y.count * x.count; }
  index depth() const { return y.taps * x.taps * channels; }

  // Calls f(window, tap, position) for the taps of a sample's windows that are no padding.
  template <class F>
  void for_taps(F f) const {
    for (index w = 0; w < windows(); ++w) {
      for (index k = 0; k < y.taps * x.taps; ++k) {
        const index j = y.first + w / x.count * y.stride + k / x.taps * y.dilation;
        const index i = x.first + w % x.count * x.stride + k % x.taps * x.dilation;
        if (j >= 0 && j < y.size && i >= 0 && i < x.size) f(w, k, j * x.size + i);
      }
    }
  }
};

Windows axis(index size, index taps, index stride = 1, index dilation = 1,
             Padding padding = Padding::valid) {
  return make_windows(size, taps, stride, dilation, padding);
}

const Windows kNone = axis(1, 1);
const Problem kProblems[] = {
    {axis(7, 3), kNone, 3, 5, 2},
    {axis(7, 6), kNone, 3, 5, 40},
    {axis(7, 3, 1, 2), axis(5, 5), 2, 18, 3},
    {axis(9, 3, 2, 1, Padding::same), kNone, 17, 33, 3},
    {axis(9, 2, 3), kNone, 2, 70, 1},
    {axis(2, 2, 1, 5, Padding::same), kNone, 3, 4, 2},
    {axis(300, 4, 1, 2, Padding::causal), kNone, 1, 2, 2},
    {axis(1, 3, 1, 1, Padding::same), kNone, 2, 3, 70},
    {axis(5, 3, 2, 1, Padding::same), axis(6, 4, 1, 1, Padding::same), 3, 16, 2},
    {axis(7, 2, 1, 2, Padding::same), axis(7, 3, 1, 2), 2, 5, 2},
    {axis(3, 2), axis(270, 3, 1, 1, Padding::same), 2, 3, 1},
    {axis(8, 2, 3), axis(8, 2, 3), 2, 3, 2},
};

template <class T>
struct Arrays {
  LinearShape<T> shape;
  std::vector<T> weights, bias, block, x, dz;

  explicit Arrays(const Problem& p) : shape(p.depth(), p.outputs) {
    Numbers numbers;
    const auto fill = [&](std::vector<T>& to, index count) {
      for (index i = 0; i < count; ++i) to.push_back(static_cast<T>(numbers.next()));
    };
    fill(weights, p.depth() * p.outputs);
    fill(bias, p.outputs);
    fill(x, p.batch * p.positions() * p.channels);
    const index padded = shape.padded_outputs();
    for (index r = 0; r < p.batch * p.windows(); ++r) {
      fill(dz, p.outputs);
      dz.resize(std::size_t((r + 1) * padded), T(0));
    }
    block.resize(std::size_t(shape.size()), T(0));
    import_part(shape.kernel(), weights.data(), block.data());
    import_part(shape.bias(), bias.data(), block.data());
  }
};

template <class T>
struct Results {
  std::vector<T> y, dx, dblock;

  Results(const Problem& p, const Arrays<T>& a)
      : y(std::size_t(p.batch * p.windows() * p.outputs)),
        dx(a.x.size(), T(7)),
        dblock(a.block.size()) {}

  void compute(Convolution<T>& convolution, const Problem& p, const Arrays<T>& a) {
    convolution.forward(a.block.data(), p.batch, a.x.data(), y.data(), {}, y.data());
    convolution.transpose(a.block.data());
    convolution.backward(p.batch, a.x.data(), a.dz.data(), dx.data(), dblock.data(), true);
  }
};

// As many roundings as terms, each of a partial sum of the size of the root of their number.
template <class T>
double tolerance(index terms) {
  const double n = static_cast<double>(terms + 1);
  return std::numeric_limits<T>::epsilon() * n * std::sqrt(n);
}

template <class T>
double worst_of(const std::vector<T>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  Worst worst;
  for (std::size_t i = 0; i < found.size(); ++i) worst.add(double(found[i]), expected[i]);
  return worst.value();
}

}  // namespace

TEST_CASE_TEMPLATE("convolution: values and gradients are sums in double", T, float, double) {
  for (const Problem& p : kProblems) {
    CAPTURE(&p - kProblems);
    const Arrays<T> a(p);
    Convolution<T> convolution;
    convolution.arrange(a.shape, p.y, p.x, p.channels, true);
    Results<T> found(p, a);
    found.compute(convolution, p, a);

    const index padded = a.shape.padded_outputs();
    std::vector<double> y, dx(a.x.size()), dw(a.weights.size());
    for (std::size_t i = 0; i < found.y.size(); ++i)
      y.push_back(double(a.bias[i % std::size_t(p.outputs)]));
    for (index b = 0; b < p.batch; ++b) {
      p.for_taps([&](index w, index k, index position) {
        const index row = b * p.windows() + w;
        for (index c = 0; c < p.channels; ++c) {
          const auto at = std::size_t((b * p.positions() + position) * p.channels + c);
          for (index f = 0; f < p.outputs; ++f) {
            const auto weight = std::size_t((k * p.channels + c) * p.outputs + f);
            const double d = double(a.dz[std::size_t(row * padded + f)]);
            y[std::size_t(row * p.outputs + f)] += double(a.x[at]) * double(a.weights[weight]);
            dx[at] += d * double(a.weights[weight]);
            dw[weight] += d * double(a.x[at]);
          }
        }
      });
    }
    std::vector<T> weights(a.weights.size());
    export_part(a.shape.kernel(), found.dblock.data(), weights.data());
    CHECK(worst_of(found.y, y) <= tolerance<T>(p.depth()));
    CHECK(worst_of(found.dx, dx) <= tolerance<T>(p.y.taps * p.x.taps * p.outputs));
    CHECK(worst_of(weights, dw) <= tolerance<T>(p.batch * p.windows()));
  }
}

TEST_CASE("convolution: same bits for every number of threads, and no memory once warm") {
  const Problem problems[] = {
      {axis(270, 5, 1, 1, Padding::same), kNone, 16, 48, 5},
      {axis(20, 15), kNone, 16, 70, 40},
      {axis(30, 3, 2, 1, Padding::same), axis(20, 3, 1, 1, Padding::same), 16, 40, 6},
      {axis(40, 3, 1, 4, Padding::causal), kNone, 33, 70, 9}};
  for (const Problem& p : problems) {
    const Arrays<float> a(p);
    Convolution<float> convolution;
    convolution.arrange(a.shape, p.y, p.x, p.channels, true);
    Results<float> alone(p, a);
    {
      const base::Threads one(1);
      alone.compute(convolution, p, a);
    }
    for (const int n : {2, 3}) {
      const base::Threads some(n);
      Results<float> shared(p, a), again(p, a);
      shared.compute(convolution, p, a);
      const long before = test::allocations;
      const auto buffers = base::allocation_count();
      again.compute(convolution, p, a);
      CHECK(test::allocations == before);
      CHECK(base::allocation_count() == buffers);
      for (const Results<float>* r : {&shared, &again}) {
        CHECK(r->y == alone.y);
        CHECK(r->dx == alone.dx);
        CHECK(r->dblock == alone.dblock);
      }
    }
  }
}

TEST_CASE_TEMPLATE("pooling: maxima and means, and where their gradients go", T, float, double) {
  for (const Problem& p : kProblems) {
    if (p.y.dilation > 1 || p.x.dilation > 1) continue;
    CAPTURE(&p - kProblems);
    const Arrays<T> a(p);
    const auto count = std::size_t(p.batch * p.windows() * p.channels);
    std::vector<T> dy(a.weights.begin(), a.weights.end());
    while (dy.size() < count) dy.push_back(dy[dy.size() / 2]);
    for (const bool maximum : {true, false}) {
      std::vector<T> y(count), dx(a.x.size(), T(7));
      kernels::Pool<T> pool{maximum, p.y, p.x, p.channels, 0, 0, a.x.data(), nullptr, y.data()};
      ops::pool(pool, p.batch);
      ops::pool_backward<T>({pool, dy.data(), dx.data()}, p.batch);
      std::vector<double> sums(count), counts(count), best(count, -2.0), dsum(a.x.size());
      std::vector<std::size_t> place(count);
      const auto for_elements = [&](auto f) {
        for (index b = 0; b < p.batch; ++b) {
          p.for_taps([&](index w, index, index position) {
            for (index c = 0; c < p.channels; ++c)
              f(std::size_t((b * p.windows() + w) * p.channels + c),
                std::size_t((b * p.positions() + position) * p.channels + c));
          });
        }
      };
      for_elements([&](std::size_t to, std::size_t from) {
        const double x = double(a.x[from]);
        sums[to] += x;
        counts[to] += 1;
        if (x > best[to]) {
          best[to] = x;
          place[to] = from;
        }
      });
      for (std::size_t i = 0; i < count; ++i) sums[i] /= counts[i];
      for_elements([&](std::size_t to, std::size_t from) {
        if (!maximum) dsum[from] += double(dy[to]) / counts[to];
        if (maximum && place[to] == from) dsum[from] += double(dy[to]);
      });
      const index terms = p.y.taps * p.x.taps;
      CHECK(worst_of(y, maximum ? best : sums) <= (maximum ? 0 : tolerance<T>(terms)));
      CHECK(worst_of(dx, dsum) <= tolerance<T>(terms));
    }
  }
}

}  // namespace lstmfast::ops
