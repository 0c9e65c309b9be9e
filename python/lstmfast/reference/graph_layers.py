"""Layers that reshape, embed and merge, with their gradients and masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .arrays import Array

__all__ = [
    "concatenate_backward",
    "concatenate_forward",
    "concatenate_mask",
    "cropping_forward",
    "decoder_input_backward",
    "decoder_input_forward",
    "dot_backward",
    "dot_forward",
    "embedding_backward",
    "embedding_forward",
    "merge_backward",
    "merge_forward",
    "merge_mask",
    "padding_forward",
    "permute_backward",
    "permute_forward",
    "rectifier_backward",
    "rectifier_forward",
    "repeat_vector_backward",
    "repeat_vector_forward",
    "softmax_along_backward",
    "softmax_along_forward",
    "time_distributed",
    "up_sampling_backward",
    "up_sampling_forward",
]

Mask: TypeAlias = "npt.NDArray[np.bool_] | None"
"""False where a step does not count; None: all count."""

LEAST_NORM = 1e-7


def permute_forward(x: Array, dims: Sequence[int]) -> Array:
    """Return x with axis i that was axis dims[i], the batch being axis 0."""
    return x.transpose(0, *dims)


def permute_backward(dy: Array, dims: Sequence[int]) -> Array:
    """Return dx, by the inverse permutation."""
    return dy.transpose(0, *(np.argsort(dims) + 1))


def decoder_input_forward(x: Array, start: float) -> Array:
    """Return x (B, T, F) one step late."""
    return np.concatenate([np.full_like(x[:, :1], start), x[:, :-1]], axis=1)


def decoder_input_backward(dy: Array) -> Array:
    """Return dx."""
    return np.concatenate([dy[:, 1:], np.zeros_like(dy[:, :1])], axis=1)


def repeat_vector_forward(x: Array, n: int) -> Array:
    """Return x (B, F) at each of n steps, (B, n, F)."""
    return np.repeat(x[:, None], n, axis=1)


def repeat_vector_backward(dy: Array) -> Array:
    """Return dx, the sum over the steps."""
    dx: Array = dy.sum(axis=1)
    return dx


def embedding_forward(ids: npt.NDArray[Any], embeddings: Array) -> Array:
    """Return the rows of `embeddings` (V, E) that ids (...) name, (..., E)."""
    y: Array = embeddings[ids]
    return y


def embedding_backward(dy: Array, ids: npt.NDArray[Any], embeddings: Array) -> Array:
    """Return the gradient of `embeddings`: for each row the sum of dy where its id stands."""
    gradient = np.zeros_like(embeddings)
    np.add.at(gradient, ids, dy)
    return gradient


def time_distributed(layer: Callable[[Array], Array], x: Array) -> Array:
    """Return layer(x[:, t]) of each step t, (B, T, ...)."""
    return np.stack([layer(x[:, t]) for t in range(x.shape[1])], axis=1)


def _stretched(xs: Sequence[Array]) -> list[Array]:
    """Align axes at the last one; those that an input lacks come after the batch."""
    rank = max(x.ndim for x in xs)
    same = [x.reshape(len(x), *[1] * (rank - x.ndim), *x.shape[1:]) for x in xs]
    return list(np.broadcast_arrays(*same))


def _unstretched(d: Array, x: Array) -> Array:
    """Sum a gradient over what an input of the shape of x was stretched to."""
    extra = tuple(range(1, 1 + d.ndim - x.ndim))
    d = d.sum(axis=extra)
    along = tuple(i for i in range(1, x.ndim) if x.shape[i] == 1)
    dx: Array = d.sum(axis=along, keepdims=True)
    return dx


def _counted(xs: Sequence[Array], masks: Sequence[Mask]) -> list[npt.NDArray[np.bool_]]:
    """Tell of each value of each input whether it counts."""
    return [
        np.broadcast_to(True if mask is None else mask[..., None], x.shape)
        for x, mask in zip(xs, masks or [None] * len(xs), strict=True)
    ]


def merge_forward(kind: str, xs: Sequence[Array], masks: Sequence[Mask] = ()) -> Array:
    """Return the sum, difference, product, mean, maximum or minimum, by `kind`, of the inputs.

    What is masked does not count in products and extremes; where nothing counts, a product is 0 and
    an extreme the first input.
    """
    parts = _stretched(xs)
    if kind in ("add", "average"):
        return sum(parts[1:], parts[0]) / (len(parts) if kind == "average" else 1)
    if kind == "subtract":
        return parts[0] - parts[1]
    counted = _stretched(_counted(xs, masks))
    any_counts = reduce(np.logical_or, counted)
    if kind == "multiply":
        product = reduce(
            np.multiply, [np.where(c, p, 1) for c, p in zip(counted, parts, strict=True)]
        )
        return np.where(any_counts, product, 0)
    out, worst = (np.maximum, -np.inf) if kind == "maximum" else (np.minimum, np.inf)
    best = reduce(out, [np.where(c, p, worst) for c, p in zip(counted, parts, strict=True)])
    return np.where(any_counts, best, parts[0])


def merge_backward(
    kind: str, dy: Array, xs: Sequence[Array], masks: Sequence[Mask] = ()
) -> list[Array]:
    """Return the gradient for each input; of equal extremes, in their order, half for each."""
    parts = _stretched(xs)
    if kind in ("add", "average"):
        share = dy * (1 / len(parts) if kind == "average" else 1.0)
        return [_unstretched(share, x) for x in xs]
    if kind == "subtract":
        return [_unstretched(dy, xs[0]), _unstretched(-dy, xs[1])]
    counted = _stretched(_counted(xs, masks))
    gradients = []
    if kind == "multiply":
        ones = [np.where(c, p, 1) for c, p in zip(counted, parts, strict=True)]
        for k, c in enumerate(counted):
            others = reduce(np.multiply, ones[:k] + ones[k + 1 :])
            gradients.append(np.where(c, dy * others, 0))
    else:
        sign = 1 if kind == "maximum" else -1
        counted[0] = counted[0] | ~reduce(np.logical_or, counted)
        left = dy
        scores = [np.where(c, sign * p, -np.inf) for c, p in zip(counted, parts, strict=True)]
        for k in range(len(parts) - 1, -1, -1):
            best = reduce(np.maximum, scores[:k], np.full(dy.shape, -np.inf))
            tie = (scores[k] == best) & counted[k]
            part = np.where(scores[k] > best, left, np.where(tie, left / 2, 0))
            gradients.insert(0, part)
            left = left - part
    return [_unstretched(d, x) for d, x in zip(gradients, xs, strict=True)]


def merge_mask(masks: Sequence[Mask]) -> Mask:
    """Return where any input counts; None where an input has no mask."""
    given = [mask for mask in masks if mask is not None]
    return reduce(np.logical_or, _stretched(given)) if len(given) == len(masks) else None


def concatenate_forward(xs: Sequence[Array], axis: int = -1) -> Array:
    """Return the inputs one after the other along an axis."""
    return np.concatenate(xs, axis)


def concatenate_backward(dy: Array, xs: Sequence[Array], axis: int = -1) -> list[Array]:
    """Return the part of dy that each input became."""
    ends = np.cumsum([x.shape[axis] for x in xs])[:-1]
    return np.split(dy, ends, axis)


def concatenate_mask(xs: Sequence[Array], masks: Sequence[Mask], axis: int = -1) -> Mask:
    """Return where any value of a row counts; inputs without a mask count. None without masks."""
    if all(mask is None for mask in masks):
        return None
    return np.asarray(np.concatenate(_counted(xs, masks), axis).any(axis=-1))


def _vectors(x: Array, axis: int, normalize: bool) -> tuple[Array, Array, Array]:
    """Return x as vectors (B, P, K), K along the axis; of length 1 with normalize; and lengths."""
    moved = np.moveaxis(x, axis, -1)
    flat = moved.reshape(len(x), -1, x.shape[axis])
    norms = np.maximum(np.linalg.norm(flat, axis=-1, keepdims=True), LEAST_NORM)
    return (flat / norms if normalize else flat), norms, moved


def dot_forward(x1: Array, x2: Array, axes: tuple[int, int], normalize: bool = False) -> Array:
    """y[b, p, q] = Σₖ x1[b, p, k] x2[b, q, k], k along `axes`; with normalize of unit vectors."""
    v1, _, moved1 = _vectors(x1, axes[0], normalize)
    v2, _, moved2 = _vectors(x2, axes[1], normalize)
    shape = (len(x1), *moved1.shape[1:-1], *moved2.shape[1:-1])
    y: Array = np.einsum("bpk,bqk->bpq", v1, v2)
    return y.reshape(shape if len(shape) > 1 else (len(x1), 1))


def dot_backward(
    dy: Array, x1: Array, x2: Array, axes: tuple[int, int], normalize: bool = False
) -> list[Array]:
    """dv1 = dy·v2, dv2 = dyᵀ·v1; for v = x / |x|, dx = (dv - v (v·dv)) / |x|."""
    v1, norms1, moved1 = _vectors(x1, axes[0], normalize)
    v2, norms2, moved2 = _vectors(x2, axes[1], normalize)
    d = dy.reshape(len(x1), v1.shape[1], v2.shape[1])
    dv1, dv2 = np.einsum("bpq,bqk->bpk", d, v2), np.einsum("bpq,bpk->bqk", d, v1)
    if normalize:
        dv1 = (dv1 - v1 * (v1 * dv1).sum(-1, keepdims=True)) / norms1
        dv2 = (dv2 - v2 * (v2 * dv2).sum(-1, keepdims=True)) / norms2
    both = zip((dv1, dv2), (moved1, moved2), axes, strict=True)
    return [np.moveaxis(dv.reshape(moved.shape), -1, axis) for dv, moved, axis in both]


def up_sampling_forward(x: Array, size: Sequence[int]) -> Array:
    """Return x with each element of axes 1, 2, ... repeated in turn."""
    for axis, times in enumerate(size, 1):
        x = np.repeat(x, times, axis=axis)
    return x


def up_sampling_backward(dy: Array, size: Sequence[int]) -> Array:
    """Return dx, the sums over the copies."""
    for axis, times in enumerate(size, 1):
        parted = (*dy.shape[:axis], dy.shape[axis] // times, times, *dy.shape[axis + 1 :])
        dy = dy.reshape(parted).sum(axis + 1)
    return dy


def padding_forward(x: Array, edges: Sequence[tuple[int, int]]) -> Array:
    """Return x with zeros before and after the elements of axes 1, 2, ..."""
    rest = [(0, 0)] * (x.ndim - 1 - len(edges))
    return np.pad(x, [(0, 0), *edges, *rest])


def cropping_forward(x: Array, edges: Sequence[tuple[int, int]]) -> Array:
    """Return x without the first and last elements of axes 1, 2, ...; the gradient of padding."""
    kept = [slice(before, x.shape[n] - after) for n, (before, after) in enumerate(edges, 1)]
    y: Array = x[(slice(None), *kept)]
    return y


def rectifier_forward(
    x: Array, slope: Array | float = 0.0, most: float = np.inf, threshold: float = 0.0
) -> Array:
    """Return x above the threshold, at most `most`; below it slope·(x - threshold)."""
    above = np.minimum(x, most)
    return np.asarray(np.where(x > threshold, above, slope * (x - threshold)))


def rectifier_backward(
    dy: Array,
    x: Array,
    slope: Array | float = 0.0,
    most: float = np.inf,
    threshold: float = 0.0,
) -> Array:
    """Return dx; the slope is 0 at the threshold, and from `most` on."""
    above = np.where(x < most, 1.0, 0.0)
    below = np.where(x < threshold, slope, 0.0)
    return np.asarray(dy * np.where(x > threshold, above, below))


def softmax_along_forward(x: Array, axes: tuple[int, ...]) -> Array:
    """Return exp(x - max) / Σ exp(x - max) along the axes."""
    e = np.exp(x - x.max(axes, keepdims=True))
    return np.asarray(e / e.sum(axes, keepdims=True))


def softmax_along_backward(dy: Array, x: Array, axes: tuple[int, ...]) -> Array:
    """Return dx = y (dy - Σ dy y)."""
    y = softmax_along_forward(x, axes)
    return np.asarray(y * (dy - (dy * y).sum(axes, keepdims=True)))
