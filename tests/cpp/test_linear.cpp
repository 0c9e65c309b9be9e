// Linear maps over rows, against sums in double: values, gradients, strides, offsets, threads.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/team.h"
#include "kernel_helpers.h"
#include "ops/linear.h"

namespace lstmfast::ops {
namespace {

using test::Matrix;
using test::Numbers;
using test::Worst;

// The elements without what lies between rows.
template <class T>
std::vector<T> dense(const Matrix<T>& m) {
  std::vector<T> out;
  for (index r = 0; r < m.rows; ++r)
    for (index c = 0; c < m.columns; ++c) out.push_back(m.at(r, c));
  return out;
}

// Arrays and a packed block of one map, filled with numbers.
template <class T>
struct Problem {
  index rows;
  LinearShape<T> shape;
  Matrix<T> kernel, bias, x, dy;
  std::vector<T> block;

  Problem(index rows_, index inputs, index outputs)
      : rows(rows_),
        shape(inputs, outputs),
        kernel(inputs, outputs),
        bias(1, outputs),
        x(rows_, inputs, 3, 1),
        // backward reads whole vectors of dy, zeros after its columns
        dy(rows_, shape.padded_outputs()),
        block(static_cast<std::size_t>(shape.size()), T(0)) {
    Numbers numbers;
    const auto any = [&](index, index) { return numbers.next(); };
    kernel.fill(any);
    bias.fill(any);
    x.fill(any);
    dy.fill([&](index, index c) { return c < outputs ? numbers.next() : 0; });
    import_part(shape.kernel(), dense(kernel).data(), block.data());
    import_part(shape.bias(), dense(bias).data(), block.data());
  }

  Rows<const T> x_rows() const { return {x.data(), nullptr, x.stride}; }
  Rows<const T> dy_rows() const { return {dy.data(), nullptr, dy.stride}; }
};

// A sum of products up to 1 of any sign: as many roundings, each of a partial sum of the size of
// the root of their number.
template <class T>
double tolerance(index terms) {
  const double n = static_cast<double>(terms + 1);
  return std::numeric_limits<T>::epsilon() * n * std::sqrt(n);
}

struct Sizes {
  index rows, inputs, outputs;
};
constexpr Sizes kSizes[] = {{1, 1, 1},   {2, 3, 5},    {7, 17, 16},  {13, 2, 33},
                            {5, 40, 31}, {33, 16, 64}, {20, 65, 70}, {300, 3, 9},
                            {3, 15, 1},  {9, 32, 2},   {4, 53, 4},   {2, 1025, 3}};

}  // namespace

TEST_CASE_TEMPLATE("linear: forward is a sum in double, nothing else is written", T, float,
                   double) {
  for (const Sizes& s : kSizes) {
    CAPTURE(s.outputs);
    const Problem<T> p(s.rows, s.inputs, s.outputs);
    Matrix<T> y(s.rows, s.outputs, 5, 2);
    p.shape.forward(p.block.data(), s.rows, p.x_rows(), {y.data(), nullptr, y.stride});
    CHECK(y.guards_intact());
    Worst worst;
    for (index r = 0; r < s.rows; ++r)
      for (index c = 0; c < s.outputs; ++c) {
        double sum = double(p.bias.at(0, c));
        for (index k = 0; k < s.inputs; ++k)
          sum += double(p.x.at(r, k)) * double(p.kernel.at(k, c));
        worst.add(double(y.at(r, c)), sum);
      }
    CHECK(worst.value() <= tolerance<T>(s.inputs));
    // rows in another order, by offsets
    std::vector<index> from, to;
    for (index r = 0; r < s.rows; ++r) {
      from.push_back((s.rows - 1 - r) * p.x.stride);
      to.push_back((s.rows - 1 - r) * y.stride);
    }
    Matrix<T> again(s.rows, s.outputs, 5, 2);
    p.shape.forward(p.block.data(), s.rows, {p.x.data(), from.data(), 0},
                    {again.data(), to.data(), 0});
    CHECK(again.guards_intact());
    CHECK(dense(again) == dense(y));
  }
}

TEST_CASE_TEMPLATE("linear: few outputs are dot products, sixteen sums added by halves", T, float,
                   double) {
  for (const Sizes& s : kSizes) {
    CAPTURE(s.inputs);
    const Problem<T> p(s.rows, s.inputs, s.outputs);
    CHECK((p.shape.columns_size() > 0) == (s.outputs <= 4));
    if (p.shape.columns_size() == 0) continue;
    std::vector<T> columns(static_cast<std::size_t>(p.shape.columns_size()), T(9));
    Matrix<T> y(s.rows, s.outputs, 5, 2);
    std::vector<index> from, to;  // the rows of x and y in the reverse order
    for (index r = s.rows; r-- > 0;) {
      from.push_back(r * p.x.stride);
      to.push_back(r * y.stride);
    }
    p.shape.forward(p.block.data(), s.rows, {p.x.data(), from.data(), 0}, {y.data(), to.data(), 0},
                    false, {}, columns.data());
    CHECK(y.guards_intact());
    for (index r = 0; r < s.rows; ++r)
      for (index c = 0; c < s.outputs; ++c) {
        T sums[16] = {};
        for (index k = 0; k < s.inputs; ++k)
          sums[k % 16] = test::multiply_add(p.x.at(r, k), p.kernel.at(k, c), sums[k % 16]);
        for (int half = 8; half > 0; half /= 2)
          for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
        CHECK(y.at(r, c) == p.bias.at(0, c) + sums[0]);
      }
  }
}

TEST_CASE_TEMPLATE("linear: gradients are sums in double and accumulate", T, float, double) {
  for (const Sizes& s : kSizes) {
    CAPTURE(s.outputs);
    const Problem<T> p(s.rows, s.inputs, s.outputs);
    Matrix<T> dx(s.rows, s.inputs, 4, 3);
    std::vector<T> dblock(p.block.size(), T(0));
    LinearScratch<T> scratch;
    const auto backward = [&](bool bias) {
      p.shape.backward(p.block.data(), s.rows, p.x_rows(), p.dy_rows(),
                       {dx.data(), nullptr, dx.stride}, dblock.data(), bias, scratch);
    };
    backward(true);
    CHECK(dx.guards_intact());
    Worst of_x, of_weights, of_twice;
    for (index r = 0; r < s.rows; ++r)
      for (index k = 0; k < s.inputs; ++k) {
        double sum = 0;
        for (index c = 0; c < s.outputs; ++c)
          sum += double(p.dy.at(r, c)) * double(p.kernel.at(k, c));
        of_x.add(double(dx.at(r, k)), sum);
      }
    CHECK(of_x.value() <= tolerance<T>(s.outputs));
    const auto exported = [&](const PartLayout& part) {
      std::vector<T> out(static_cast<std::size_t>(part.rows * part.columns));
      export_part(part, dblock.data(), out.data());
      return out;
    };
    const std::vector<T> dw = exported(p.shape.kernel()), db = exported(p.shape.bias());
    for (index c = 0; c < s.outputs; ++c) {
      for (index k = -1; k < s.inputs; ++k) {
        double sum = 0;
        for (index r = 0; r < s.rows; ++r)
          sum += double(p.dy.at(r, c)) * (k < 0 ? 1 : double(p.x.at(r, k)));
        const T found = k < 0 ? db[static_cast<std::size_t>(c)]
                              : dw[static_cast<std::size_t>(k * s.outputs + c)];
        of_weights.add(double(found), sum);
      }
    }
    CHECK(of_weights.value() <= tolerance<T>(s.rows));
    backward(false);  // a second time, without the bias
    CHECK(exported(p.shape.bias()) == db);
    const std::vector<T> twice = exported(p.shape.kernel());
    for (std::size_t i = 0; i < dw.size(); ++i) of_twice.add(double(twice[i]), 2 * double(dw[i]));
    CHECK(of_twice.value() <= 2 * tolerance<T>(s.rows));
  }
}

TEST_CASE_TEMPLATE("linear: same bits for every number of threads, and for each row alone", T,
                   float, double) {
  const int before = base::team::get_num_threads();
  const Sizes s{160, 130, 150};
  const Problem<T> p(s.rows, s.inputs, s.outputs);
  struct Result {
    Matrix<T> y, dx;
    std::vector<T> dblock;
  };
  const auto run = [&](int threads) {
    base::team::set_num_threads(threads);
    Result r{Matrix<T>(s.rows, s.outputs), Matrix<T>(s.rows, s.inputs),
             std::vector<T>(p.block.size(), T(0))};
    LinearScratch<T> scratch;
    p.shape.forward(p.block.data(), s.rows, p.x_rows(), {r.y.data(), nullptr, r.y.stride});
    p.shape.backward(p.block.data(), s.rows, p.x_rows(), p.dy_rows(),
                     {r.dx.data(), nullptr, r.dx.stride}, r.dblock.data(), true, scratch);
    return r;
  };
  const Result alone = run(1);
  for (const int n : {2, 3}) {
    const Result shared = run(n);
    CHECK(dense(shared.y) == dense(alone.y));
    CHECK(dense(shared.dx) == dense(alone.dx));
    CHECK(shared.dblock == alone.dblock);
  }
  base::team::set_num_threads(before);
  for (const index row : {index{0}, index{77}, s.rows - 1}) {
    Matrix<T> y(1, s.outputs);
    p.shape.forward(p.block.data(), 1, {p.x.data() + row * p.x.stride, nullptr, p.x.stride},
                    {y.data(), nullptr, y.stride});
    bool same = true;
    for (index c = 0; c < s.outputs; ++c) same &= y.at(0, c) == alone.y.at(row, c);
    CHECK(same);
  }
}

}  // namespace lstmfast::ops
