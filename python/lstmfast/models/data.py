"""From what a user calls x and y to arrays that fit a model, with messages in the user's words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text

Dtype = np.dtype[Any]


def checked_input(
    x: ArrayLike, dtype: Dtype, sample: tuple[int | None, ...], where: str, name: str = "x"
) -> Array:
    """Return samples as the core takes them: (N, *sample)."""
    array = as_float(x, dtype, where, name)
    shape = array.shape[1:]
    if array.ndim == 0 or (shape != sample and not _fits(shape, sample)):
        hint = f"; for one sample pass {name}[None]" if _fits(array.shape, sample) else ""
        raise ValueError(
            f"[{where}] {name} has shape {shape_text(array.shape)}; expected "
            f"{shape_text(('N', *sample))}{hint}"  # type: ignore[arg-type]
        )
    return array


def _fits(shape: tuple[int, ...], sample: tuple[int | None, ...]) -> bool:
    return len(shape) == len(sample) and all(
        want in (None, have) for have, want in zip(shape, sample, strict=True)
    )


def checked_target(y: ArrayLike, dtype: Dtype, samples: int, where: str, name: str = "y") -> Array:
    """Return targets for that many samples. What else they must be is for the loss to say."""
    if y is None:
        raise ValueError(f"[{where}] {name} is missing")
    array = as_float(y, dtype, where, name)
    if array.ndim == 0 or len(array) != samples:
        raise ValueError(
            f"[{where}] {name} has shape {shape_text(array.shape)}; expected "
            f"({samples}, ...), for x has {samples} samples"
        )
    if samples == 0:
        raise ValueError(f"[{where}] x has no samples")
    return array


def split(x: Array, y: Array, share: float) -> tuple[Array, Array, Array, Array]:
    """Return x, y for training and x, y for validation: the last `share` of the samples."""
    samples = len(x)
    if not 0.0 < share < 1.0:
        raise ValueError(f"[fit] validation_split is {share}; expected 0 to below 1")
    first = math.floor(samples * (1.0 - share))
    if first in (0, samples):
        raise ValueError(
            f"[fit] validation_split={share} of {samples} samples leaves one part empty"
        )
    return x[:first], y[:first], x[first:], y[first:]
