// The table of kernels that dispatch chose, for one element type. Knows the contracts, not the
// code.
#pragma once

#include "kernels/lstm_args.h"
#include "kernels/norm_args.h"
#include "kernels/vector_args.h"

namespace lstmfast::kernels {

template <class T>
struct Table {
  int lanes;         // V
  int tile_rows[5];  // rows of a GEMM tile with nr = 1 .. 4 vectors a panel, at [nr]
#define KERNEL(name, argument) void (*name)(argument);
#include "kernels/kernels.def"
#undef KERNEL
};

// Products with weights in reduced precision. The same bits on all ISAs that have a fused
// multiply-add.
struct ReducedTable {
  int group;   // rows of a group of int8
  int offset;  // what whole numbers of A are increased by: panels of B start from less
  void (*product)(const Gemm<float>&);
};
const ReducedTable& reduced_table();

// The kernels of the chosen ISA. The choice is made at the first call and never changes.
template <class T>
const Table<T>& table();

enum class IsaStatus { ok, unknown, unsupported };

const char* isa();       // name of the chosen ISA
IsaStatus isa_status();  // unless ok, LSTMFAST_ISA names no ISA that can run, and nothing may be
                         // computed
const char* requested_isa();  // the value of LSTMFAST_ISA, or null
int isa_count();              // compiled ISAs, weakest first
const char* isa_name(int i);
bool isa_available(int i);  // whether this CPU can run it

}  // namespace lstmfast::kernels
