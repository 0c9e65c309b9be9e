// Single kernels by their contracts in kernels/args.h, and the accuracy of the functions. Arrays
// are as long as the contracts say, for AddressSanitizer.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernel_helpers.h"

namespace lstmfast::kernels {
namespace {

using test::closeness;
using test::Numbers;
using test::panel_element;
using test::size;
using test::some;
using test::Worst;

double exact_value(Activation a, double x) {
  return a == Activation::tanh      ? std::tanh(x)
         : a == Activation::sigmoid ? 1 / (1 + std::exp(-x))
                                    : std::exp(x);
}
long double exact_value(Activation a, long double x) {
  return a == Activation::tanh      ? std::tanh(x)
         : a == Activation::sigmoid ? 1 / (1 + std::exp(-x))
                                    : std::exp(x);
}

template <class T>
struct Wider;
template <>
struct Wider<float> {
  using Type = double;
};
template <>
struct Wider<double> {
  using Type = long double;
};

}  // namespace

TEST_CASE_TEMPLATE("outer: sums over rows for every tile, added to what is there", T, float,
                   double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, rows = 7, panels = 2;
  for (int nr = 1; nr <= 4; ++nr) {
    const index width = nr * V;
    const int own = table.tile_rows[nr], widest = table.tile_rows[4];
    const std::pair<int, index> cases[] = {{own, 1},         {own, own},
                                           {own, own + 1},   {own, 3 * own - 1},
                                           {widest, widest}, {widest, 7 * widest + 1}};
    for (const auto& sizes : cases) {
      const int mr = sizes.first;
      const index k = sizes.second;
      CAPTURE(nr);
      CAPTURE(mr);
      CAPTURE(k);
      // A: one column of ones, then the rest of each row, of which one row is missing
      const std::vector<T> a = some<T>(rows * k), b = some<T>(panels * rows * width);
      const T one = 1;
      std::vector<const T*> ones(size(rows), &one), rest;
      for (index r = 0; r < rows; ++r) rest.push_back(r == 2 ? nullptr : a.data() + r * k);
      const index tiles = (k + mr - 1) / mr;
      std::vector<T> packed(size(tiles * mr * rows), std::numeric_limits<T>::quiet_NaN());
      table.pack_columns({rows, 0, 1, mr, ones.data(), packed.data()});
      if (k > 1) table.pack_columns({rows, 1, k - 1, mr, rest.data(), packed.data()});
      Outer<T> o{};
      o.rows = rows;
      o.tile1 = tiles;
      o.panel1 = panels;
      o.nr = nr;
      o.mr = mr;
      o.k = k;
      o.a = packed.data();
      o.b = b.data();
      o.b_panel_stride = rows * width;
      o.b_row_stride = width;
      // Rows of one vector or two may be parts of longer ones.
      const index apart = nr <= 2 ? width + table.lanes : width;
      o.c_panel_stride = k * apart;
      o.c_row_stride = apart;
      for (const bool overwrites : {false, true}) {
        CAPTURE(overwrites);
        const T before = overwrites ? std::numeric_limits<T>::quiet_NaN() : T(2);
        std::vector<T> c(size(panels * k * apart), before);
        o.c = c.data();
        o.overwrites = overwrites;
        table.outer(o);
        Worst worst;
        for (index p = 0; p < panels; ++p)
          for (index i = 0; i < k; ++i)
            for (index n = 0; n < width; ++n) {
              double sum = overwrites ? 0 : 2;
              for (index r = 0; r < rows; ++r) {
                const double left = i == 0 ? 1 : r == 2 ? 0 : double(a[size(r * k + i - 1)]);
                sum += left * double(b[size((p * rows + r) * width + n)]);
              }
              worst.add(double(c[size((p * k + i) * apart + n)]), sum);
            }
        CHECK(worst.value() <= closeness<T>(rows) * double(rows + 2));
      }
    }
  }
}

TEST_CASE_TEMPLATE("pack_gates: gates side by side, zeros after them", T, float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, rows = 3;
  for (const int gates : {3, 4})
    for (index units = 1; units < V; ++units) {
      const index vectors = (gates * units + V - 1) / V, row = gates * V, packed = vectors * V;
      std::vector<T> from = some<T>(rows * row);
      for (index j = 0; j < rows * row; ++j)
        if (j % V >= units) from[size(j)] = 0;
      std::vector<T> out(size(rows * packed + V), T(9));
      table.pack_gates({rows, gates, {units, int(vectors)}, from.data(), row, out.data()});
      bool right = true;
      for (index r = 0; r < rows; ++r)
        for (index j = 0; j < packed; ++j) {
          const index g = j / units, u = j % units;
          const T expected = g < gates ? from[size(r * row + g * V + u)] : T(0);
          right &= out[size(r * packed + j)] == expected;
        }
      CAPTURE(gates);
      CAPTURE(units);
      CHECK(right);
    }
}

TEST_CASE_TEMPLATE("reduce_rows: sums, products, rows that add nothing", T, float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, rows = 5;
  const std::vector<T> a = some<T>(rows * V), b = some<T>(rows * V, 2);
  const std::vector<index> offsets = {4 * V, -1, 2 * V, 0, -1};
  for (const int kind : {0, 1, 2}) {  // sum of a; of a b; of a b by offsets
    std::vector<T> out(size(V), T(3));
    ReduceRows<T> r{};
    r.rows = rows;
    r.a = a.data();
    r.a_stride = V;
    r.b = kind == 0 ? nullptr : b.data();
    r.b_offsets = kind == 2 ? offsets.data() : nullptr;
    r.b_stride = V;
    r.out = out.data();
    table.reduce_rows(r);
    Worst worst;
    for (index v = 0; v < V; ++v) {
      double sum = 3;
      for (index i = 0; i < rows; ++i) {
        const index at = kind == 2 ? offsets[size(i)] : i * V;
        const double right = kind == 0 ? 1 : at < 0 ? 0 : double(b[size(at + v)]);
        sum += double(a[size(i * V + v)]) * right;
      }
      worst.add(double(out[size(v)]), sum);
    }
    CHECK(worst.value() <= closeness<T>(rows) * double(2 * rows + 3));
  }
}

TEST_CASE_TEMPLATE("transpose_panels: rows become columns, padded with zeros", T, float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, panels = 2;
  for (const int gates : {1, 3, 4})
    for (int nr = 1; nr <= 4; ++nr)
      for (const index k : {index{1}, V, nr * V + 1}) {
        const index row = gates * V, width = nr * V, qs = (k + width - 1) / width;
        const index w_row = row + (gates < 3 ? V : 0);  // some of the gates of a row, or all
        const std::vector<T> w = some<T>(panels * k * w_row);
        std::vector<T> out(size(qs * panels * row * width), T(9));
        TransposePanels<T> t{};
        t.panels = panels;
        t.gates = gates;
        t.w = w.data();
        t.w_row = w_row;
        t.w_panel_stride = k * w_row;
        t.k = k;
        t.nr = nr;
        t.q1 = qs;
        t.out = out.data();
        t.out_panel_stride = panels * row * width;
        table.transpose_panels(t);
        bool right = true;
        for (index n = 0; n < qs * width; ++n)
          for (index p = 0; p < panels; ++p)
            for (index e = 0; e < row; ++e) {
              const T expected = n < k ? w[size((p * k + n) * w_row + e)] : T(0);
              right &= panel_element(out, panels * row, width, p * row + e, n) == expected;
            }
        CAPTURE(gates);
        CAPTURE(nr);
        CAPTURE(k);
        CHECK(right);
      }
}

TEST_CASE_TEMPLATE("transpose_panels: a tail's units, as those of a panel", T, float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, panels = 2, k = V + 3;
  const int nr = 2;
  for (const int gates : {3, 4})
    for (index units = 1; units < V; ++units) {
      const index row = gates * V, width = nr * V, vectors = (gates * units + V - 1) / V;
      if (vectors == gates) continue;
      const std::vector<T> w = some<T>(k * row), tail = some<T>(k * vectors * V, 2);
      std::vector<T> out(size(panels * row * width), T(9));
      TransposePanels<T> t{};
      t.panels = panels;
      t.gates = gates;
      t.tail = {units, int(vectors)};
      t.w = w.data();
      t.w_row = row;
      t.tail_w = tail.data();
      t.k = k;
      t.nr = nr;
      t.q1 = 1;
      t.out = out.data();
      table.transpose_panels(t);
      bool right = true;
      for (index n = 0; n < width; ++n)
        for (index p = 0; p < panels; ++p)
          for (index e = 0; e < row; ++e) {
            const index g = e / V, u = e % V;
            const bool is_tail = p + 1 == panels;
            if (is_tail && u >= units) continue;
            const T expected = n >= k    ? T(0)
                               : is_tail ? tail[size(n * vectors * V + g * units + u)]
                                         : w[size(n * row + e)];
            right &= panel_element(out, panels * row, width, p * row + e, n) == expected;
          }
      CAPTURE(gates);
      CAPTURE(units);
      CHECK(right);
    }
}

TEST_CASE_TEMPLATE("exp, sigmoid and tanh are within 4 ulp", T, float, double) {
  using Wide = typename Wider<T>::Type;
  if (std::numeric_limits<Wide>::digits < std::numeric_limits<T>::digits + 8) return;
  constexpr index kCount = 6000;
  const T limit = std::is_same_v<T, float> ? T(87) : T(708);
  std::vector<T> x, y(size(3 * kCount));
  Numbers numbers;
  for (index i = 0; i < kCount; ++i) {
    x.push_back(limit * static_cast<T>(numbers.next()));
    x.push_back(T(10) * static_cast<T>(numbers.next()));
    x.push_back(std::ldexp(static_cast<T>(numbers.next()), -static_cast<int>(i % 100)));
  }
  for (const Activation a : {Activation::exponential, Activation::sigmoid, Activation::tanh}) {
    kernels::table<T>().map({{a}, 3 * kCount, x.data(), y.data()});
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Wide exact = exact_value(a, static_cast<Wide>(x[i]));
      int exponent;
      std::frexp(exact, &exponent);
      const Wide ulp = std::ldexp(Wide(1), exponent - std::numeric_limits<T>::digits);
      worst = std::fmax(worst, static_cast<double>(std::fabs(Wide(y[i]) - exact) / ulp));
    }
    CAPTURE(static_cast<int>(a));
    CHECK(worst <= 4);
    CHECK(worst > 0.4);  // the measure measures
  }
}

TEST_CASE("the choice of an ISA can be read") {
  CHECK(isa_status() == IsaStatus::ok);
  bool known = false;
  for (int i = 0; i < isa_count(); ++i) {
    known |= std::string(isa()) == isa_name(i) && isa_available(i);
  }
  CHECK(known);
}

}  // namespace lstmfast::kernels
