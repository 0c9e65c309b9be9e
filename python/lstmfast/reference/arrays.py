"""The reference's array type and its conversions; no equations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_real(value: npt.ArrayLike, dtype: npt.DTypeLike) -> Array:
    """`value` as an array of the floating dtype; no copy where it is one already."""
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"[reference] dtype is {kind}; expected a floating dtype")
    return np.asarray(value, dtype=kind)


def quiet_overflow() -> np.errstate:
    """Silence the overflow to inf inside σ, whose result is 0; an inf in a result stays visible."""
    return np.errstate(over="ignore")


def time_major(x: Array, batch_first: bool) -> Array:
    """View with the time axis first: (T, B, ...) from (B, T, ...) or from itself."""
    return np.swapaxes(x, 0, 1) if batch_first else x


def expect_shape(where: str, name: str, array: Array, shape: tuple[int, ...]) -> Array:
    """`array` if it has the shape; ValueError with both shapes if not."""
    if array.shape != shape:
        raise ValueError(f"[{where}] {name} has shape {array.shape}; expected {shape}")
    return array
