"""Layers that normalise, over the batch or within each sample, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import Array
from .graph_layers import Mask

__all__ = [
    "batch_normalization_backward",
    "batch_normalization_forward",
    "row_normalization_backward",
    "row_normalization_forward",
]


def batch_normalization_forward(
    x: Array, gamma: Array, beta: Array, epsilon: float = 1e-3, mask: Mask = None
) -> tuple[Array, Array, Array]:
    """Return y = γ (x - mean) / √(variance + ε) + β for x (..., F), mean and variance.

    Both are over the rows that the mask leaves, 0 where it leaves none.
    """
    rows = x.reshape(-1, x.shape[-1])
    real = np.ones(len(rows), bool) if mask is None else np.asarray(mask, bool).ravel()
    count = max(1, int(real.sum()))
    mean: Array = rows[real].sum(axis=0) / count
    variance: Array = np.square(rows[real] - mean).sum(axis=0) / count
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, mean, variance


def batch_normalization_backward(
    dy: Array, x: Array, gamma: Array, epsilon: float = 1e-3, mask: Mask = None
) -> tuple[Array, Array, Array]:
    """Return (dx, dγ, dβ).

    With x̂ = (x - mean) s, s = 1 / √(variance + ε), sums over all rows and n real ones:
    dx = γ s (dy - (Σ dy + x̂ Σ dy x̂) / n), the part over n in real rows only.
    """
    _, mean, variance = batch_normalization_forward(x, gamma, 0.0 * gamma, epsilon, mask)
    s = 1.0 / np.sqrt(variance + epsilon)
    axes = tuple(range(x.ndim - 1))
    normed = (x - mean) * s
    dgamma, dbeta = (dy * normed).sum(axes), dy.sum(axes)
    real = np.ones(x.shape[:-1], bool) if mask is None else np.asarray(mask, bool)
    shared = (dbeta + normed * dgamma) / max(1, int(real.sum()))
    return gamma * s * (dy - real[..., None] * shared), dgamma, dbeta


def _centre_and_factor(
    x: Array, kind: str, axes: tuple[int, ...], epsilon: float
) -> tuple[Array, Array]:
    """Return the mean that the factor is about, and the factor s of x in z."""
    mean = x.mean(axes, keepdims=True)
    if kind in ("rms", "unit"):
        mean = 0.0 * mean
    squares = np.square(x - mean).sum(axes, keepdims=True)
    if kind == "unit":
        return mean, 1.0 / np.maximum(np.sqrt(squares), epsilon)
    count = x.size // mean.size
    return mean, 1.0 / np.sqrt(squares / count + epsilon)


def _stretched(weight: Array | float, x: Array, axes: Sequence[int]) -> Array | float:
    """Return a weight over axes of x with sizes of 1 along the other axes."""
    if np.ndim(weight) == 0:
        return weight
    sizes = [x.shape[axis] if axis in axes else 1 for axis in range(x.ndim)]
    return np.reshape(np.asarray(weight), sizes)


def row_normalization_forward(
    x: Array,
    kind: str,
    axes: tuple[int, ...],
    epsilon: float,
    gamma: Array | float = 1.0,
    beta: Array | float = 0.0,
) -> Array:
    """Return γ z + β.

    z is (x - mean) / √(variance + ε) for ``kind="layer"``, x / √(variance + ε) for
    ``"variance"``, x / √(mean(x²) + ε) for ``"rms"``, and x / max(|x|, ε) for ``"unit"``; means,
    variances and lengths along the axes, which ascend.
    """
    mean, s = _centre_and_factor(x, kind, axes, epsilon)
    z = (x - mean if kind == "layer" else x) * s
    return np.asarray(_stretched(gamma, x, axes) * z + _stretched(beta, x, axes))


def row_normalization_backward(
    dy: Array,
    x: Array,
    kind: str,
    axes: tuple[int, ...],
    epsilon: float,
    gamma: Array | float = 1.0,
) -> tuple[Array, Array, Array]:
    """Return (dx, dγ, dβ), the last two over the axes.

    With u = γ dy and h = (x - mean) s: dx = s (u - mean(u) - h mean(u z)); mean(u) only for
    ``"layer"``; for ``"unit"`` a sum takes the place of the other mean, and 0 where |x| < ε.
    """
    mean, s = _centre_and_factor(x, kind, axes, epsilon)
    z = (x - mean if kind == "layer" else x) * s
    u = _stretched(gamma, x, axes) * dy
    along = (
        (u * z).sum(axes, keepdims=True) if kind == "unit" else (u * z).mean(axes, keepdims=True)
    )
    if kind == "unit":
        along = np.where(s < 1.0 / epsilon, along, 0.0)
    middle = u.mean(axes, keepdims=True) if kind == "layer" else 0.0
    others = tuple(axis for axis in range(x.ndim) if axis not in axes)
    dx: Array = s * (u - middle - (x - mean) * s * along)
    return dx, (dy * z).sum(others), dy.sum(others)
