// Products with weights in reduced precision, for one ISA: compiled as kernels_isa.cpp is, once an
// ISA, and once more where only these products have better instructions.

#include "kernels/isa.h"
#include "kernels/table.h"

namespace lstmfast::kernels {
namespace {

// clang-format off: each file needs those above it
#include LF_SIMD(LF_VOCABULARY)

#include "impl/lanes.inl"
#include "impl/tile.inl"
#include "impl/reduced.inl"
// clang-format on

}  // namespace

extern const ReducedTable LF_JOIN(table_, LF_ISA, reduced);
const ReducedTable LF_JOIN(table_, LF_ISA, reduced) = {kGroup, kOffset, reduced_product};

}  // namespace lstmfast::kernels
