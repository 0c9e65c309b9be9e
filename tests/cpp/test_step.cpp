// A step forward by its contract in kernels/lstm_args.h: what must not change its result. What it
// computes is for the tests of ops to say.
#include <doctest/doctest.h>

#include <vector>

#include "kernel_helpers.h"
#include "kernels/lstm_args.h"

namespace lstmfast::kernels {

using test::size;
using test::some;

TEST_CASE_TEMPLATE("step_forward: neither the order of panels nor fetching ahead changes a bit", T,
                   float, double) {
  const Table<T>& table = kernels::table<T>();
  const index V = table.lanes, I = 2, panels = 3;
  for (const index tail : {index{0}, V / 2}) {
    const index H = tail > 0 ? 2 * V + tail : 3 * V, stride = (1 + I + H) * 4 * V;
    const std::vector<T> weights = some<T>(panels * stride);
    for (const index rows : {1, 2, 7, 12, 29}) {
      const std::vector<T> x = some<T>(rows * I, 1), h_prev = some<T>(rows * panels * V, 2);
      std::vector<index> x_offsets;
      for (index r = 0; r < rows; ++r) x_offsets.push_back(r * I);
      const CellOptions options;
      std::vector<T> expected;
      for (const bool descending : {false, true})
        for (const bool fetches : {false, true}) {
          std::vector<T> c(size(panels * rows * V)), h(size(rows * panels * V));
          StepForward<T> s{};
          s.row1 = rows;
          s.panel1 = panels;
          s.descending = descending;
          s.input = I;
          s.hidden = s.recurrent = H;
          s.weights = weights.data();
          s.weight_panel_stride = stride;
          s.fetches = fetches;
          s.tail_panel = tail > 0 ? panels - 1 : -1;
          s.tail = {tail, int((4 * tail + V - 1) / V)};
          s.x = x.data();
          s.x_offsets = x_offsets.data();
          s.h_prev = h_prev.data();
          s.h_prev_stride = panels * V;
          s.c = c.data();
          s.c_panel_stride = rows * V;
          s.h = h.data();
          s.h_stride = panels * V;
          s.cell.options = &options;
          table.step_forward(s);
          h.insert(h.end(), c.begin(), c.end());
          if (expected.empty()) expected = h;
          CAPTURE(tail);
          CAPTURE(rows);
          CAPTURE(descending);
          CAPTURE(fetches);
          CHECK(h == expected);
        }
    }
  }
}

}  // namespace lstmfast::kernels
