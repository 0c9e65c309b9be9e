// Random matrices with orthonormal rows, for initial weights. Knows no layers.
#pragma once

#include <cstdint>

#include "base/plain.h"

namespace lstmfast::ops {

// out [rows][columns], rows <= columns: orthonormal rows, with every such matrix equally likely.
// The same bits for any number of threads.
//
// Rows of normal random numbers, made orthonormal by Gram and Schmidt's process: half of the rows
// first, then the other half against them by two matrix products, and so on inside each half.
// Where rows were nearly dependent (square matrices), it is done again with the result (Giraud,
// Langou, Rozloznik: The loss of orthogonality in the Gram-Schmidt orthogonalization process,
// 2005). Throws std::invalid_argument unless 0 <= rows <= columns.
template <class T>
void draw_orthonormal_rows(index rows, index columns, std::uint64_t seed, T* out);

// out [count]: standard normal numbers, each a function of the seed and its index alone.
template <class T>
void draw_normal(index count, std::uint64_t seed, T* out);

}  // namespace lstmfast::ops
