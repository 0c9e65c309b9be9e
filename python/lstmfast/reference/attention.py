"""Attention, with its gradients: queries and keys (B, N, T, D), values (B, N, T, E)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .arrays import Array

__all__ = [
    "attention_backward",
    "attention_forward",
    "attention_seen",
    "multi_head_attention_backward",
    "multi_head_attention_forward",
]


def attention_seen(
    queries: int, keys: int, causal: bool = False, window: int | None = None, *masks: Any
) -> Array:
    """Return whether query i sees key j, (B or 1, 1, Tq, Tv); masks go with (B, Tq, Tv)."""
    i, j = np.arange(queries)[:, None], np.arange(keys)
    seen = np.ones((1, queries, keys), bool)
    if causal:
        seen = seen & (j <= i)
    if window is not None:
        seen = seen & (abs(i - j) < window)
    for mask in masks:
        seen = seen & mask
    return seen[:, None]


def _scores(mode: str, q: Array, k: Array, outer: Any, inner: Any, gains: Any) -> Array:
    if mode == "dot":
        return np.asarray(outer * (q @ k.swapaxes(-1, -2)))
    h = np.tanh(inner * (q[..., :, None, :] + k[..., None, :, :]))
    return np.asarray(outer * (gains * h).sum(-1))


def attention_forward(
    q: Array,
    k: Array,
    v: Array,
    seen: Array,
    mode: str = "dot",
    outer: Any = 1.0,
    inner: Any = 1.0,
    gains: Any = 1.0,
    *,
    excludes: bool = False,
) -> tuple[Array, Array]:
    """Return y and the weights of the values.

    Scores are outer q·k (mode "dot"), or outer Σ gains tanh(inner (q + k)). Keys that are not seen
    have scores that are 1e9 less, or, with `excludes`, weight 0.
    """
    s = _scores(mode, q, k, outer, inner, gains)
    s = np.where(seen, s, -np.inf if excludes else s - 1e9)
    greatest = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isfinite(greatest), greatest, 0.0))
    total = e.sum(-1, keepdims=True)
    weights = e / np.where(total == 0, 1.0, total)
    return weights @ v, weights


def attention_backward(
    dy: Array,
    q: Array,
    k: Array,
    v: Array,
    weights: Array,
    mode: str = "dot",
    outer: Any = 1.0,
    inner: Any = 1.0,
    gains: Any = 1.0,
) -> dict[str, Array]:
    """Return the gradients of q, k, v, outer, inner and gains, by name."""
    dw = dy @ v.swapaxes(-1, -2)
    ds = weights * (dw - (dw * weights).sum(-1, keepdims=True))
    found: dict[str, Any] = {"v": weights.swapaxes(-1, -2) @ dy}
    if mode == "dot":
        product = q @ k.swapaxes(-1, -2)
        return found | {
            "q": outer * (ds @ k),
            "k": outer * (ds.swapaxes(-1, -2) @ q),
            "outer": (ds * product).sum(),
        }
    both = q[..., :, None, :] + k[..., None, :, :]
    h = np.tanh(inner * both)
    dh = outer * ds[..., None] * gains
    dz = dh * (1 - h * h)
    axes = tuple(range(h.ndim - 1))
    return found | {
        "q": inner * dz.sum(-2),
        "k": inner * dz.sum(-3),
        "outer": (ds * (gains * h).sum(-1)).sum(),
        "inner": (dz * both).sum(),
        "gains": (outer * ds[..., None] * h).sum(axes),
    }


# of the projections: x (B, T, F) and kernel (F, N, D) make (B, N, T, D)
_PROJECT, _JOIN = "btf,fnd->bntd", "bntd,ndo->bto"


def multi_head_attention_forward(
    x: Mapping[str, Array], weights: Mapping[str, Array], seen: Array
) -> tuple[Array, Array]:
    """Return y and the weights of the values.

    x has query, key and value; weights has NAME_kernel and NAME_bias of these and of output.
    """
    q, k, v = _projected(x, weights)
    heads, scores = attention_forward(q, k, v, seen, outer=1 / np.sqrt(q.shape[-1]), excludes=True)
    y = np.einsum(_JOIN, heads, weights["output_kernel"]) + weights["output_bias"]
    return y, scores


def _projected(x: Mapping[str, Array], weights: Mapping[str, Array]) -> list[Array]:
    return [
        np.einsum(_PROJECT, x[n], weights[f"{n}_kernel"]) + weights[f"{n}_bias"][:, None]
        for n in ("query", "key", "value")
    ]


def multi_head_attention_backward(
    dy: Array, x: Mapping[str, Array], weights: Mapping[str, Array], seen: Array
) -> dict[str, Array]:
    """Return the gradients of x and of the weights, by their names."""
    q, k, v = _projected(x, weights)
    outer = 1 / np.sqrt(q.shape[-1])
    heads, scores = attention_forward(q, k, v, seen, outer=outer, excludes=True)
    found = {
        "output_kernel": np.einsum("bntd,bto->ndo", heads, dy),
        "output_bias": dy.sum((0, 1)),
    }
    dheads = np.einsum("bto,ndo->bntd", dy, weights["output_kernel"])
    inside = attention_backward(dheads, q, k, v, scores, outer=outer)
    for name in ("query", "key", "value"):
        dz = inside[name[0]]
        found[f"{name}_kernel"] = np.einsum("btf,bntd->fnd", x[name], dz)
        found[f"{name}_bias"] = dz.sum((0, 2))
        found[name] = np.einsum("bntd,fnd->btf", dz, weights[f"{name}_kernel"])
    return found
