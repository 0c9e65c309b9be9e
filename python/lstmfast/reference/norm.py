"""Layer normalisation over the last axis, forward and backward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Array


class NormCache(NamedTuple):
    """Values for the backward pass: x̂ (B, H) and 1/σ (B, 1)."""

    normed: Array
    rstd: Array


def norm_forward(x: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, NormCache]:
    """y = x̂ ⊙ γ + β with x̂ = (x - mean) / √(variance + ε), over the H units of a row.

    x is (B, H), γ and β are (H,); the variance is that of the population, 1/H.
    """
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    rstd = 1.0 / np.sqrt(variance + epsilon)
    normed = centred * rstd
    return normed * gamma + beta, NormCache(normed, rstd)


def norm_backward(dy: Array, gamma: Array, cache: NormCache) -> tuple[Array, Array, Array]:
    """Return (dx, dγ, dβ).

    dx = (dx̂ - mean(dx̂) - x̂ ⊙ mean(dx̂ ⊙ x̂)) / σ with dx̂ = dy ⊙ γ;
    dγ and dβ are summed over the rows.
    """
    normed, rstd = cache
    d_normed = dy * gamma
    mean = d_normed.mean(axis=-1, keepdims=True)
    along = (d_normed * normed).mean(axis=-1, keepdims=True)
    dx = (d_normed - mean - normed * along) * rstd
    return dx, (dy * normed).sum(axis=0), dy.sum(axis=0)
