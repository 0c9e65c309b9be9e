"""Losses on predictions p and targets y, with their gradients, as Keras defines them.

Every function returns (loss, d loss / d p): the loss is the mean over the last axis where the
formula has one, then over everything else, so each of the N = p.size / p.shape[-1] samples
counts the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = [
    "LOSSES",
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mae",
    "mse",
    "sparse_categorical_crossentropy",
]

Loss = Callable[[Array, npt.ArrayLike], tuple[float, Array]]

EPSILON = 1e-7


def _like(p: Array, target: npt.ArrayLike) -> Array:
    y = np.asarray(target, dtype=p.dtype)
    if y.shape != p.shape:
        raise ValueError(f"[reference.loss] target has shape {y.shape}; expected {p.shape}")
    return y


def mse(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean((p - y)²)."""
    e = p - _like(p, target)
    return float(np.mean(e * e)), 2.0 * e / e.size


def mae(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(|p - y|); the gradient at p = y is 0."""
    e = p - _like(p, target)
    return float(np.mean(np.abs(e))), np.sign(e) / e.size


def huber(p: Array, target: npt.ArrayLike, delta: float = 1.0) -> tuple[float, Array]:
    """mean(e²/2 where |e| ≤ δ, δ|e| - δ²/2 elsewhere), e = p - y."""
    e = p - _like(p, target)
    a = np.abs(e)
    loss = np.where(a <= delta, 0.5 * e * e, delta * a - 0.5 * delta * delta)
    return float(np.mean(loss)), np.clip(e, -delta, delta) / e.size


def _clipped(q: Array) -> tuple[Array, Array]:
    """q clipped to [ε, 1 - ε], and the mask of where the gradient passes."""
    one = q.dtype.type(1)
    low, high = q.dtype.type(EPSILON), one - q.dtype.type(EPSILON)
    return np.clip(q, low, high), (q >= low) & (q <= high)


def categorical_crossentropy(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(-Σ y log q) over classes on the last axis, q = clip(p / Σp, ε, 1 - ε)."""
    y = _like(p, target)
    total = p.sum(axis=-1, keepdims=True)
    share = p / total
    q, passes = _clipped(share)
    samples = p.size // p.shape[-1]
    loss = float(-(y * np.log(q)).sum() / samples)
    d_share = np.where(passes, -y / q, 0.0).astype(p.dtype) / samples
    # share = p / Σp: the sum hands every class the same correction
    return loss, (d_share - (d_share * share).sum(axis=-1, keepdims=True)) / total


def sparse_categorical_crossentropy(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """As `categorical_crossentropy`, with class numbers for targets: (...) or (..., 1)."""
    labels = np.asarray(target)
    if labels.ndim == p.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != p.shape[:-1]:
        raise ValueError(f"[reference.loss] labels have shape {labels.shape}; p is {p.shape}")
    if np.any(labels != np.floor(labels)) or labels.min() < 0 or labels.max() >= p.shape[-1]:
        raise ValueError(f"[reference.loss] labels must be whole numbers in [0, {p.shape[-1]})")
    classes = labels.astype(np.intp)
    one_hot = (np.arange(p.shape[-1]) == classes[..., None]).astype(p.dtype)
    return categorical_crossentropy(p, one_hot)


def binary_crossentropy(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(-(y log q + (1 - y) log(1 - q))), q = clip(p, ε, 1 - ε)."""
    y = _like(p, target)
    q, passes = _clipped(p)
    loss = -(y * np.log(q) + (1.0 - y) * np.log(1.0 - q))
    gradient = (q - y) / (q * (1.0 - q)) / p.size
    return float(np.mean(loss)), np.where(passes, gradient, 0.0).astype(p.dtype)


_LIST: tuple[Loss, ...] = (
    mse,
    mae,
    huber,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    binary_crossentropy,
)
LOSSES = {function.__name__: function for function in _LIST}
"""The losses by the names that `fit` takes."""
