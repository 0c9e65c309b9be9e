"""Losses on predictions p and targets y, with their gradients, as Keras defines them.

Every function returns (loss, d loss / d p): the loss is the mean over the last axis where the
formula has one, then over everything else, so each of the N = p.size / p.shape[-1] samples
counts the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = [
    "LOSSES",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "esr",
    "gaussian_nll",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mae",
    "mape",
    "mixture_nll",
    "mse",
    "msle",
    "poisson",
    "quantile",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

Loss = Callable[[Array, npt.ArrayLike], tuple[float, Array]]

EPSILON = 1e-7
LEAST_SCALE = 1e-6


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


def mape(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """100·mean(|p - y| / max(|y|, ε)); the gradient at p = y is 0."""
    y = _like(p, target)
    percent = 100.0 / np.maximum(np.abs(y), p.dtype.type(EPSILON))
    return float(np.mean(percent * np.abs(p - y))), percent * np.sign(p - y) / p.size


def msle(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean((log(1 + q) - log(1 + r))²), q and r being p and y limited to at least ε."""
    y, low = _like(p, target), p.dtype.type(EPSILON)
    q = np.maximum(p, low)
    e = np.log(1.0 + q) - np.log(1.0 + np.maximum(y, low))
    return float(np.mean(e * e)), np.where(p >= low, 2.0 * e / (1.0 + q), 0.0) / p.size


def log_cosh(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(log(cosh(e))), e = p - y; the gradient is tanh(e)."""
    e = p - _like(p, target)
    return float(np.mean(np.logaddexp(e, -e) - np.log(2.0))), np.tanh(e) / e.size


def poisson(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(p - y log(p + ε))."""
    y, q = _like(p, target), p + p.dtype.type(EPSILON)
    return float(np.mean(p - y * np.log(q))), (1.0 - y / q) / p.size


def _margin(p: Array, target: npt.ArrayLike) -> tuple[Array, Array]:
    """max(1 - y·p, 0), and y with -1 for 0."""
    y = _like(p, target)
    y = np.where(y == 0, -1.0, y).astype(p.dtype)
    return np.maximum(1.0 - y * p, 0.0), y


def hinge(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(max(1 - y·p, 0)), where labels y of 0 are -1."""
    margin, y = _margin(p, target)
    return float(np.mean(margin)), np.where(margin > 0, -y, 0.0) / p.size


def squared_hinge(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(max(1 - y·p, 0)²), where labels y of 0 are -1."""
    margin, y = _margin(p, target)
    return float(np.mean(margin**2)), -2.0 * margin * y / p.size


def categorical_hinge(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(max(0, 1 + max((1 - y)·p) - Σ y·p)) over samples, one-hot y on the last axis."""
    y = _like(p, target)
    wrong = (1.0 - y) * p
    at = np.expand_dims(wrong.argmax(axis=-1), -1)
    margin = 1.0 + np.take_along_axis(wrong, at, -1) - (y * p).sum(axis=-1, keepdims=True)
    slope = -y + (1.0 - y) * (np.arange(p.shape[-1]) == at)
    samples = p.size // p.shape[-1]
    return float(np.maximum(margin, 0.0).sum() / samples), np.where(
        margin > 0, slope, 0.0
    ) / samples


def kl_divergence(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(Σ r log(r / q)) over samples, q and r being p and y clipped to [ε, 1]."""
    low, one = p.dtype.type(EPSILON), p.dtype.type(1)
    r, q = np.clip(_like(p, target), low, one), np.clip(p, low, one)
    samples = p.size // p.shape[-1]
    passes = (p >= low) & (p <= one)
    return float((r * np.log(r / q)).sum() / samples), np.where(passes, -r / q, 0.0) / samples


def cosine_similarity(p: Array, target: npt.ArrayLike) -> tuple[float, Array]:
    """mean(-Σ p·y / (|p|·|y|)) over samples, the lengths limited to at least ε."""
    y = _like(p, target)

    def length(v: Array) -> Array:
        long: Array = np.linalg.norm(v, axis=-1, keepdims=True)
        limited: Array = np.maximum(long, v.dtype.type(EPSILON))
        return limited

    u, v = p / length(p), y / length(y)
    cosine = (u * v).sum(axis=-1, keepdims=True)
    moves = np.linalg.norm(p, axis=-1, keepdims=True) >= EPSILON
    samples = p.size // p.shape[-1]
    return float(-cosine.sum() / samples), -(v - moves * u * cosine) / length(p) / samples


def quantile(
    p: Array, target: npt.ArrayLike, quantiles: Sequence[float] = (0.5,)
) -> tuple[float, Array]:
    """mean(max(q·e, (q - 1)·e)), e = y - p, for p (..., D·n) of n quantiles q of D targets."""
    q = np.asarray(quantiles, dtype=p.dtype)
    each = p.reshape(*p.shape[:-1], -1, len(q))
    e = np.asarray(target, p.dtype).reshape(*each.shape[:-1], 1) - each
    slope = np.where(e > 0, -q, np.where(e < 0, 1.0 - q, 0.0))
    return float(np.mean(np.maximum(q * e, (q - 1.0) * e))), slope.reshape(p.shape) / p.size


def gaussian_nll(
    p: Array, target: npt.ArrayLike, spread: str = "standard_deviation"
) -> tuple[float, Array]:
    """mean(log s + (μ - y)²/(2s²) + log(2π)/2), p being (..., 2D): means, then spreads.

    A spread is s, s² or log(s²); the first two are limited to at least 1e-6.
    """
    mean, given = np.split(p, 2, axis=-1)
    e = mean - np.asarray(target, p.dtype).reshape(mean.shape)
    limited = np.maximum(given, p.dtype.type(LEAST_SCALE))
    s, slope_of_log = {
        "standard_deviation": (limited, 1.0 / limited),
        "variance": (np.sqrt(limited), 0.5 / limited),
        "log_variance": (np.exp(0.5 * given), np.full_like(given, 0.5)),
    }[spread]
    loss = np.log(s) + 0.5 * (e / s) ** 2 + 0.5 * np.log(2.0 * np.pi)
    passes = (given == limited) | (spread == "log_variance")
    d_spread = np.where(passes, (1.0 - (e / s) ** 2) * slope_of_log, 0.0)
    return float(np.mean(loss)), np.concatenate([e / s**2, d_spread], axis=-1) / e.size


def mixture_nll(p: Array, target: npt.ArrayLike, components: int = 1) -> tuple[float, Array]:
    """mean(-log Σ w N(y; μ, s)) over samples, p being (..., K(1 + 2D)).

    A row is K logits, whose softmax is w, then K·D means μ and K·D deviations s, limited to at
    least 1e-6. N is the product of the normal densities of D targets.
    """
    k = components
    logits, rest = p[..., :k], p[..., k:]
    mean, given = (half.reshape(*p.shape[:-1], k, -1) for half in np.split(rest, 2, axis=-1))
    s = np.maximum(given, p.dtype.type(LEAST_SCALE))
    z = (mean - np.asarray(target, p.dtype).reshape(*p.shape[:-1], 1, -1)) / s
    log_w = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    log_n = (-np.log(s) - 0.5 * z * z - 0.5 * np.log(2.0 * np.pi)).sum(axis=-1)
    total = np.logaddexp.reduce(log_w + log_n, axis=-1, keepdims=True)
    share = np.exp(log_w + log_n - total)  # of each component in the density
    d_mean = share[..., None] * z / s
    d_deviation = np.where(given == s, share[..., None] * (1.0 - z * z) / s, 0.0)
    parts = [np.exp(log_w) - share, *(d.reshape(*p.shape[:-1], -1) for d in (d_mean, d_deviation))]
    return float(-np.mean(total)), np.concatenate(parts, axis=-1) / total.size


def esr(
    p: Array,
    target: npt.ArrayLike,
    pre_emphasis: float = 0.0,
    dc_weight: float = 0.0,
    epsilon: float = 1e-5,
    weights: npt.ArrayLike | None = None,
) -> tuple[float, Array]:
    """mean of Σ wF(e)²/(Σ F(y)² + nε) + dc·mean(w)·mean(e)²/(mean(y²) + ε) over (B, C).

    p and y are (B, T, C), e = p - y, F(x)[t] = x[t] - a·x[t - 1]. Means and sums are over the n
    steps whose weight w (B, T) is not 0; in F, steps of weight 0 are 0. A sample counts as n/T.
    """
    y = _like(p, target)
    w = np.ones(p.shape[:2], p.dtype) if weights is None else np.asarray(weights, p.dtype)
    counts = (w != 0)[..., None]
    n = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    w, e, y = w[..., None], np.where(counts, p - y, 0.0), np.where(counts, y, 0.0)

    def filtered(x: Array) -> Array:
        before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)
        return np.where(counts, x - pre_emphasis * before, 0.0)

    def energy(x: Array) -> Array:
        total: Array = (x * x).sum(axis=1, keepdims=True) + n * epsilon
        return total

    error, mean = filtered(e), e.sum(axis=1, keepdims=True) / n
    ratio = (w * error**2).sum(axis=1, keepdims=True) / energy(filtered(y))
    of_mean = dc_weight * w.sum(axis=1, keepdims=True) / energy(y)
    slope = 2.0 * w * error / energy(filtered(y))
    after = np.concatenate([slope[:, 1:], np.zeros_like(slope[:, :1])], axis=1)
    slope = slope - pre_emphasis * after + 2.0 * of_mean * mean / n
    share = n / p.size
    return float((share * (ratio + of_mean * mean**2)).sum()), np.where(counts, share * slope, 0.0)


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


LOSSES: dict[str, Loss] = {name: globals()[name] for name in __all__ if name != "LOSSES"}
"""The losses by the names that `fit` takes."""
