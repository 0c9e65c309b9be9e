// Normalisation of rows and of columns, and sums of columns, on the thread team. Knows no layers.
//
// Sums are taken over blocks of rows that depend on the matrix alone and added in order, so that
// they have the same bits for any number of threads.
#pragma once

#include "base/plain.h"
#include "kernels/norm_args.h"

namespace lstmfast::ops {

template <class T>
void normalise_rows(const kernels::NormaliseRows<T>& rows);
template <class T>
void normalise_rows_backward(const kernels::NormaliseRowsBackward<T>& rows);

// Doubles that column_sums() needs as `room` for a matrix of that size or of fewer rows.
index column_sums_room(index rows, index columns);
template <class T>
void column_sums(const kernels::ColumnSums<T>& matrix, double* room);

template <class T>
void normalise_columns(const kernels::NormaliseColumns<T>& matrix);
template <class T>
void normalise_columns_backward(const kernels::NormaliseColumnsBackward<T>& matrix);

template <class T>
void rectify(const kernels::Rectify<T>& matrix);
template <class T>
void rectify_backward(const kernels::RectifyBackward<T>& matrix);

}  // namespace lstmfast::ops
