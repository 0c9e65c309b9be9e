// What the constraints share: the list, options of several, and the walk over a part's norms. Knows
// no particular constraint.
#pragma once

#include <algorithm>
#include <cmath>

#include "constraints/constraint.h"
#include "ops/vector.h"

namespace lstmfast::constraints {

using Family = base::Registry<Constraint, std::size_t>;
using Component = Family::Component;

#define CONSTRAINT(kind) Component kind();
#include "constraints/constraints.def"
#undef CONSTRAINT

constexpr double kEpsilon = 1e-7;  // added to a norm before a division by it

// Of what each norm is, in a weight's logical matrix. A vector is a matrix of one row.
enum class NormOf { column, row, whole };

// Keras's `axis`, and what it means for a weight of that many axes.
base::Option axis_option();
NormOf norm_of(const base::Values& options, std::size_t rank);

inline base::Option bound(const char* name, double fallback) {
  return base::number(name, fallback, base::at_least(0));
}

// Multiplies every column, every row or the whole of a part by factor(its L2 norm). Sums are in
// double, by ascending rows and panels; padding adds nothing to them and stays zero.
template <class T, class F>
void scale_by_norms(NormOf norm_of, const ops::PartLayout& part, T* block, F factor) {
  struct Strip {  // a row within a panel
    T* x;
    index width;
  };
  const auto strip = [&](index panel, index row) {
    const ops::PartLayout::Place place = part.place(panel);
    return Strip{block + place.first + row * place.row_stride, place.row_stride};
  };
  const auto squares = [&](const Strip& s) {
    double sum = 0;
    for (index j = 0; j < s.width; ++j)
      sum += static_cast<double>(s.x[j]) * static_cast<double>(s.x[j]);
    return sum;
  };
  const auto scale = [&](const Strip& s, T by) {
    for (index j = 0; j < s.width; ++j) s.x[j] *= by;
  };
  const auto grain = [&](index elements) {
    return std::max<index>(1, ops::kStreamGrain / elements);
  };

  if (norm_of == NormOf::column) {
    constexpr index kStrip = 64;
    ops::for_shares(part.panels, grain(part.run_length(0)), [&](index begin, index end) {
      for (index p = begin; p < end; ++p) {
        const index width = part.place(p).row_stride;
        for (index j = 0; j < width; j += kStrip) {
          const index n = std::min(kStrip, width - j);
          double sums[kStrip] = {};
          T by[kStrip];
          for (index r = 0; r < part.rows; ++r) {
            const T* const x = strip(p, r).x + j;
            for (index k = 0; k < n; ++k)
              sums[k] += static_cast<double>(x[k]) * static_cast<double>(x[k]);
          }
          for (index k = 0; k < n; ++k) by[k] = static_cast<T>(factor(std::sqrt(sums[k])));
          for (index r = 0; r < part.rows; ++r) {
            T* const x = strip(p, r).x + j;
            for (index k = 0; k < n; ++k) x[k] *= by[k];
          }
        }
      }
    });
  } else if (norm_of == NormOf::row) {
    ops::for_shares(part.rows, grain(part.panels * part.row_stride), [&](index begin, index end) {
      for (index r = begin; r < end; ++r) {
        double sum = 0;
        for (index p = 0; p < part.panels; ++p) sum += squares(strip(p, r));
        const T by = static_cast<T>(factor(std::sqrt(sum)));
        for (index p = 0; p < part.panels; ++p) scale(strip(p, r), by);
      }
    });
  } else {
    double sum = 0;
    for (index r = 0; r < part.rows; ++r)
      for (index p = 0; p < part.panels; ++p) sum += squares(strip(p, r));
    const T by = static_cast<T>(factor(std::sqrt(sum)));
    for (index r = 0; r < part.rows; ++r)
      for (index p = 0; p < part.panels; ++p) scale(strip(p, r), by);
  }
}

}  // namespace lstmfast::constraints
