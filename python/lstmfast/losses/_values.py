"""Arrays of a loss that is called directly, in the shapes that the core takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, as_float, dtype_name, wrong_shape


def rows_and_targets(
    y_true: ArrayLike, y_pred: ArrayLike, where: str
) -> tuple[Array, Array, tuple[int, ...]]:
    """Return targets, predictions and the shape of the values of single rows.

    As in Keras, arrays of one axis are one row, unless the others have an axis more.
    """
    double = dtype_name(getattr(y_pred, "dtype", None)) == "float64"
    dtype = np.dtype(np.float64 if double else np.float32)
    prediction = as_float(y_pred, dtype, where, "y_pred")
    target = as_array(y_true, where, "y_true")
    if target.dtype.kind == "f":
        target = as_float(target, dtype, where, "y_true")
    if target.ndim == prediction.ndim + 1 and target.shape[-1] == 1:
        if prediction.ndim == 1:
            prediction = prediction[:, None]
        else:
            target = target[..., 0]
    shape = prediction.shape[:-1]
    if prediction.ndim <= 1:
        prediction, target = prediction.reshape(1, -1), target.reshape(1, *target.shape)
    return target, prediction, shape


def weights_of(
    sample_weight: ArrayLike | None, shape: tuple[int, ...], dtype: np.dtype[Any], where: str
) -> Array | None:
    """Return a weight for each of the values of this shape, or None."""
    if sample_weight is None:
        return None
    weights = as_float(sample_weight, dtype, where, "sample_weight")
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    each = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    try:
        return np.ascontiguousarray(np.broadcast_to(each, shape))
    except ValueError:
        expected = f"a number, or the first axes of {shape}"
        raise wrong_shape(where, "sample_weight", weights.shape, expected) from None
