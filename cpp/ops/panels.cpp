#include "ops/panels.h"

#include <algorithm>

namespace lstmfast::ops {
namespace {

// Calls f(logical, packed, count) for every run of elements that are neighbours in both layouts.
template <class F>
void for_each_run(const PartLayout& part, F f) {
  for (index row = 0; row < part.rows; ++row) {
    for (index panel = 0; panel < part.panels; ++panel) {
      const PartLayout::Place place = part.place(panel);
      for (index group = 0; group < part.groups; ++group) {
        const index vector = part.gates ? panel : panel * part.groups + group;
        const index count = std::min(part.lanes, part.units - vector * part.lanes);
        if (count <= 0) continue;
        const index column = (part.gates ? group * part.units : 0) + vector * part.lanes;
        const index at = part.group_at(row, group);
        f(row * part.columns + column, place.first + row * place.row_stride + at * place.lanes,
          count);
      }
    }
  }
}

}  // namespace

template <class T>
void import_part(const PartLayout& part, const T* logical, T* block) {
  for_each_run(part,
               [&](index from, index to, index n) { std::copy_n(logical + from, n, block + to); });
}

template <class T>
void export_part(const PartLayout& part, const T* block, T* logical) {
  for_each_run(part,
               [&](index to, index from, index n) { std::copy_n(block + from, n, logical + to); });
}

template void import_part(const PartLayout&, const float*, float*);
template void import_part(const PartLayout&, const double*, double*);
template void export_part(const PartLayout&, const float*, float*);
template void export_part(const PartLayout&, const double*, double*);

}  // namespace lstmfast::ops
