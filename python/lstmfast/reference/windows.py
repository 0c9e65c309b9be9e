"""Convolution and pooling over windows of one axis or more, with their gradients.

Arrays are (B, n₁, ..., C), and a window has taps along each axis between batch and features. All
windows are gathered into one array, (B, windows, taps, C).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = [
    "conv_backward",
    "conv_forward",
    "global_average_backward",
    "global_average_forward",
    "pool_backward",
    "pool_forward",
    "window_positions",
]

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def window_positions(
    size: int, taps: int, stride: int = 1, dilation: int = 1, padding: str = "valid"
) -> Positions:
    """Return the positions (windows, taps) on an axis; those outside of 0 .. size - 1 are padding.

    Examples
    --------
    >>> window_positions(5, 2, 2).tolist()
    [[0, 1], [2, 3]]
    >>> window_positions(3, 2, padding="same").tolist()
    [[0, 1], [1, 2], [2, 3]]
    """
    span = (taps - 1) * dilation + 1
    if padding == "valid":
        starts = np.arange(0, size - span + 1, stride)
    else:
        starts = stride * np.arange(-(-size // stride))
        outside = max(0, int(starts[-1]) + span - size)
        starts -= span - 1 if padding == "causal" else outside // 2
    positions: Positions = starts[:, None] + dilation * np.arange(taps)
    return positions


def _rows(shape: tuple[int, ...], of_axes: Sequence[Positions]) -> Positions:
    """Return which of the n₁·n₂·... positions each tap (windows, taps) is; -1 for padding."""
    rows = np.zeros((1, 1), np.int64)
    for place, size in zip(of_axes, shape[1:-1], strict=True):
        before, own = rows[:, None, :, None], place[None, :, None, :]
        joined = np.where((before < 0) | (own < 0) | (own >= size), -1, before * size + own)
        rows = joined.reshape(rows.shape[0] * place.shape[0], rows.shape[1] * place.shape[1])
    return rows


def _gathered(x: Array, rows: Positions, padding: float) -> Array:
    """Return the taps of all windows."""
    taps: Array = np.where(
        (rows >= 0)[..., None], x.reshape(len(x), -1, x.shape[-1])[:, rows], padding
    )
    return taps


def _scattered(dtaps: Array, rows: Positions, shape: tuple[int, ...]) -> Array:
    """Return the sum over all windows of what their taps get."""
    dx = np.zeros((shape[0], int(np.prod(shape[1:-1])), shape[-1]), dtaps.dtype)
    real = rows >= 0
    places: Any = (slice(None), rows[real])
    np.add.at(dx, places, dtaps[:, real])
    return dx.reshape(shape)


def _shaped(y: Array, of_axes: Sequence[Positions]) -> Array:
    return y.reshape(len(y), *(len(place) for place in of_axes), y.shape[-1])


def conv_forward(
    x: Array, kernel: Array, of_axes: Sequence[Positions], bias: Array | None = None
) -> Array:
    """y[b, w, f] = bias[f] + Σ over taps k and features c of x[b, w + k, c]·kernel[k, c, f].

    Parameters
    ----------
    x : (B, n₁, ..., C)
    kernel : (taps₁, ..., C, F)
    of_axes : sequence of array
        The `window_positions` of each axis.
    bias : (F), optional

    Returns
    -------
    y : (B, windows₁, ..., F)
    """
    taps = _gathered(x, _rows(x.shape, of_axes), 0.0)
    flat = kernel.reshape(-1, kernel.shape[-1])
    y = taps.reshape(*taps.shape[:2], -1) @ flat
    return _shaped(y if bias is None else y + bias, of_axes)


def conv_backward(
    dy: Array, x: Array, kernel: Array, of_axes: Sequence[Positions]
) -> tuple[Array, Array, Array]:
    """Return dx, dkernel and dbias."""
    rows = _rows(x.shape, of_axes)
    dz = dy.reshape(len(x), -1, kernel.shape[-1])
    taps = _gathered(x, rows, 0.0).reshape(*dz.shape[:2], -1)
    dkernel = np.einsum("bwk,bwf->kf", taps, dz).reshape(kernel.shape)
    dtaps = dz @ kernel.reshape(-1, kernel.shape[-1]).T
    dx = _scattered(dtaps.reshape(*dz.shape[:2], rows.shape[1], -1), rows, x.shape)
    return dx, dkernel, dz.sum(axis=(0, 1))


def pool_forward(kind: str, x: Array, of_axes: Sequence[Positions]) -> Array:
    """Return the greatest elements or, by `kind`, the means of windows; padding does not count."""
    rows = _rows(x.shape, of_axes)
    if kind == "max":
        return _shaped(_gathered(x, rows, -np.inf).max(axis=2), of_axes)
    count = (rows >= 0).sum(axis=1)[:, None]
    return _shaped(_gathered(x, rows, 0.0).sum(axis=2) / count, of_axes)


def pool_backward(kind: str, dy: Array, x: Array, of_axes: Sequence[Positions]) -> Array:
    """Return dx; of equal elements the first one gets the gradient of a maximum."""
    rows = _rows(x.shape, of_axes)
    dz = dy.reshape(len(x), -1, 1, x.shape[-1])
    if kind == "max":
        best = _gathered(x, rows, -np.inf).argmax(axis=2)[:, :, None]
        share: Array = (np.arange(rows.shape[1])[:, None] == best) * dz
    else:
        share = np.where((rows >= 0)[..., None], dz / (rows >= 0).sum(axis=1)[:, None, None], 0.0)
    return _scattered(share, rows, x.shape)


def global_average_forward(x: Array, mask: Mask) -> Array:
    """Return the mean (B, C) of the steps that count; NaN where none does."""
    with np.errstate(invalid="ignore"):
        mean: Array = np.where(mask[..., None], x, 0.0).sum(axis=1) / mask.sum(axis=1)[:, None]
    return mean


def global_average_backward(dy: Array, mask: Mask) -> Array:
    """Return dx: an equal share for each step that counts."""
    count = np.maximum(mask.sum(axis=1), 1)[:, None, None]
    dx: Array = np.where(mask[..., None], dy[:, None] / count, 0.0)
    return dx
