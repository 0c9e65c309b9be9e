// The element-wise and row-wise kernels of vector_args.h, in the order in which they need each
// other.

// clang-format off
#include "kernels/impl/log.inl"
#include "kernels/impl/softmax.inl"
#include "kernels/impl/reduce.inl"
#include "kernels/impl/element_losses.inl"
#include "kernels/impl/row_losses.inl"
#include "kernels/impl/crossentropy.inl"
#include "kernels/impl/likelihoods.inl"
#include "kernels/impl/error_to_signal.inl"
#include "kernels/impl/matches.inl"
#include "kernels/impl/optimizers.inl"
#include "kernels/impl/random.inl"
#include "kernels/impl/pooling.inl"
#include "kernels/impl/norm_rows.inl"
#include "kernels/impl/norm_columns.inl"
#include "kernels/impl/rectify.inl"
// clang-format on
