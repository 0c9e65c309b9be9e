// Every kernel, for one ISA and one element type: LF_ISA and LF_REAL come from the build, which
// compiles this file once for each pair with the flags of that ISA. All code sits in an anonymous
// namespace and the object defines one strong symbol, its table: otherwise the linker could hand
// another ISA's copy of an inline function to an older CPU.

#include "kernels/isa.h"
#include "kernels/table.h"

namespace lstmfast::kernels {
namespace {

// clang-format off: each file needs those above it
#include LF_SIMD(LF_ISA)

#include "impl/math.inl"
#include "impl/smooth.inl"
#include "impl/activation.inl"
#include "impl/lanes.inl"
#include "impl/tile.inl"
#include "impl/dot.inl"
#include "impl/gemm.inl"
#include "impl/outer.inl"
#include "impl/transpose.inl"
#include "impl/map.inl"
#include "cells/step_rows.inl"
#include "cells/plain.inl"
#include "cells/gates.inl"
#include "cells/standard.inl"
#include "cells/general.inl"
#include "cells/norm.inl"
#include "cells/gru.inl"
#include "cells/gru_reset_before.inl"
#include "cells/simple_rnn.inl"
#include "cells/hidden.inl"
#include "cells/read_gates.inl"
#include "impl/step_sums.inl"
#include "impl/step_tail.inl"
#include "impl/step.inl"
#include "impl/fma_chains.inl"
#include "impl/read_once.inl"
#include "impl/vector.inl"
// clang-format on

}  // namespace

extern const Table<LF_REAL> LF_JOIN(table_, LF_ISA, LF_REAL_NAME);
const Table<LF_REAL> LF_JOIN(table_, LF_ISA, LF_REAL_NAME) = {
    Vec<LF_REAL>::kLanes,
    {0, tile_rows(1), tile_rows(2), tile_rows(3), tile_rows(4)},
#define KERNEL(name, argument) name<LF_REAL>,
#include "kernels/kernels.def"
#undef KERNEL
};

}  // namespace lstmfast::kernels
