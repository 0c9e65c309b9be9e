// The matrix product in panels by its contract in kernels/args.h: tiles of every size, tails,
// strides. Arrays are as long as the contract says, for AddressSanitizer.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernel_helpers.h"

namespace lstmfast::kernels {

using test::closeness;
using test::Matrix;
using test::Numbers;
using test::panel_element;
using test::size;
using test::some;
using test::Worst;

TEST_CASE_TEMPLATE("gemm: every tile and tail, from a bias, from zero, from C", T, float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, depth = 5;
  for (int nr = 1; nr <= 4; ++nr) {
    const index width = nr * V;
    for (index rows = 1; rows <= 2 * table.tile_rows[nr] + 1; ++rows) {
      for (const index columns : {index{1}, width - 1, width, width + 1, 2 * width}) {
        if (columns < 1) continue;
        CAPTURE(nr);
        CAPTURE(rows);
        CAPTURE(columns);
        const index panels = (columns + width - 1) / width;
        const std::vector<T> b = some<T>(panels * depth * width), bias = some<T>(panels * width);
        Matrix<T> a(rows, depth, 2, 1);
        Numbers numbers;
        a.fill([&](index, index) { return numbers.next(); });
        for (const int start : {0, 1, 2}) {  // zero, bias, C
          const auto before = [](index r, index n) { return 0.5 * double((r + n) % 3 - 1); };
          Matrix<T> c(rows, columns, 3, 1);
          c.fill(before);
          Gemm<T> g{};
          g.row1 = rows;
          g.panel1 = panels;
          g.nr = nr;
          g.a = a.data();
          g.a_stride = a.stride;
          g.segments = 1;
          g.segment = depth;
          g.b = b.data();
          g.b_panel_stride = depth * width;
          g.bias = start == 1 ? bias.data() : nullptr;
          g.bias_panel_stride = width;
          g.accumulate = start == 2;
          g.fetches = start != 0;
          g.c = c.data();
          g.c_stride = c.stride;
          g.c_panel_stride = width;
          g.columns = columns;
          table.gemm(g);
          REQUIRE(c.guards_intact());
          Worst worst;
          for (index r = 0; r < rows; ++r)
            for (index n = 0; n < columns; ++n) {
              double sum = start == 0 ? 0 : start == 1 ? double(bias[size(n)]) : before(r, n);
              for (index k = 0; k < depth; ++k)
                sum += double(a.at(r, k)) * double(panel_element(b, depth, width, k, n));
              worst.add(double(c.at(r, n)), sum);
            }
          CHECK(worst.value() <= closeness<T>(depth) * double(depth + 1));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("gemm: segments, offsets and parts have the bits of the whole", T, float,
                   double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, segments = 3, segment = 4, depth = segments * segment, rows = 9;
  const index columns = 4 * V + 1, width = 2 * V, panels = 3;
  const std::vector<T> b = some<T>(panels * depth * width), a = some<T>(rows * depth);
  Gemm<T> g{};
  g.row1 = rows;
  g.panel1 = panels;
  g.nr = 2;
  g.a = a.data();
  g.a_stride = depth;
  g.segments = 1;
  g.segment = depth;
  g.b = b.data();
  g.b_panel_stride = depth * width;
  g.c_panel_stride = width;
  g.columns = columns;
  Matrix<T> whole(rows, columns), other(rows, columns);
  g.c = whole.data();
  g.c_stride = whole.stride;
  table.gemm(g);
  const auto same = [&] {
    bool all = true;
    for (index r = 0; r < rows; ++r)
      for (index n = 0; n < columns; ++n) all &= other.at(r, n) == whole.at(r, n);
    CHECK(all);
  };

  // A as segments that lie apart, and its rows in another order
  std::vector<T> apart(a.size());
  std::vector<index> a_offsets, c_offsets;
  for (index r = 0; r < rows; ++r) {
    const index place = rows - 1 - r;
    for (index k = 0; k < depth; ++k)
      apart[size(k / segment * rows * segment + place * segment + k % segment)] =
          a[size(r * depth + k)];
    a_offsets.push_back(place * segment);
    c_offsets.push_back(r * other.stride);
  }
  Gemm<T> parts = g;
  parts.a = apart.data();
  parts.a_offsets = a_offsets.data();
  parts.segments = segments;
  parts.segment = segment;
  parts.segment_stride = rows * segment;
  parts.c = other.data();
  parts.c_offsets = c_offsets.data();
  table.gemm(parts);
  same();

  // row by row, panel by panel
  for (index r = 0; r < rows; ++r)
    for (index p = 0; p < panels; ++p) {
      Gemm<T> one = parts;
      one.row0 = r;
      one.row1 = r + 1;
      one.panel0 = p;
      one.panel1 = p + 1;
      table.gemm(one);
    }
  same();

  // one row over all panels, two at a time, up and down; sums at rest after each part of k
  for (const bool descending : {false, true}) {
    for (index r = 0; r < rows; ++r) {
      Gemm<T> one = parts;
      one.row0 = r;
      one.row1 = r + 1;
      one.descending = descending;
      table.gemm(one);
    }
    same();
    for (index rest = 1; rest <= segments; ++rest) {
      Gemm<T> resting = parts;
      resting.rest = rest;
      resting.descending = descending;
      resting.fetches = rest % 2 == 1;
      table.gemm(resting);
      same();
    }
  }

  // k in two goes: spilling the sums does not change them
  Gemm<T> first = g, second = g;
  first.c = second.c = other.data();
  first.segment = 5;
  second.segment = depth - 5;
  second.a = a.data() + 5;
  second.b = b.data() + 5 * width;
  second.accumulate = true;
  table.gemm(first);
  table.gemm(second);
  same();
}

TEST_CASE_TEMPLATE("gemm: units of the last segment that are padding are not read", T, float,
                   double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, gates = 3, segments = 2, segment = gates * V, rows = 5;
  const index depth = segments * segment, units = V / 2;
  const std::vector<T> b = some<T>(depth * V);
  std::vector<T> padded = some<T>(rows * depth), zeroed = padded;
  for (index r = 0; r < rows; ++r)
    for (index k = segment; k < depth; ++k)
      if (k % V >= units) {
        padded[size(r * depth + k)] = std::numeric_limits<T>::quiet_NaN();
        zeroed[size(r * depth + k)] = 0;
      }
  Matrix<T> expected(rows, V), got(rows, V);
  Gemm<T> g{};
  g.row1 = rows;
  g.panel1 = 1;
  g.nr = 1;
  g.a = zeroed.data();
  g.a_stride = depth;
  g.segments = segments;
  g.segment = g.segment_stride = segment;
  g.b = b.data();
  g.b_panel_stride = depth * V;
  g.c = expected.data();
  g.c_stride = expected.stride;
  g.columns = V;
  table.gemm(g);
  g.a = padded.data();
  g.c = got.data();
  g.c_stride = got.stride;
  g.last_units = units;
  for (index rest = 0; rest <= 1; ++rest) {
    g.rest = rest;
    table.gemm(g);
    for (index r = 0; r < rows; ++r)
      for (index n = 0; n < V; ++n) CHECK(got.at(r, n) == expected.at(r, n));
  }
}

}  // namespace lstmfast::kernels
