#include "ops/panels.h"

#include <algorithm>

namespace lstmfast::ops {
namespace {

// Calls f(logical, packed, count) for every run of elements that are neighbours in both layouts.
template <class F>
void for_each_copy(const PartLayout& part, F f) {
  for_each_run(part, [&](const PartRun& run) {
    const PartLayout::Place place = part.place(run.panel);
    f(run.row * part.columns + run.column,
      place.first + run.row * place.row_stride + run.group * place.lanes, run.count);
  });
}

}  // namespace

template <class T>
void import_part(const PartLayout& part, const T* logical, T* block) {
  for_each_copy(part,
                [&](index from, index to, index n) { std::copy_n(logical + from, n, block + to); });
}

template <class T>
void export_part(const PartLayout& part, const T* block, T* logical) {
  for_each_copy(part,
                [&](index to, index from, index n) { std::copy_n(block + from, n, logical + to); });
}

template void import_part(const PartLayout&, const float*, float*);
template void import_part(const PartLayout&, const double*, double*);
template void export_part(const PartLayout&, const float*, float*);
template void export_part(const PartLayout&, const double*, double*);

}  // namespace lstmfast::ops
