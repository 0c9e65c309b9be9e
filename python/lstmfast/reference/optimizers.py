"""Optimizers and gradient clipping with Keras's formulas; parameters change in place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .arrays import Array

__all__ = ["Adam", "Clip", "Sgd"]


@dataclass(frozen=True)
class Clip:
    """At most one bound; None is off.

    norm: g·norm / max(|g|, norm) for each parameter alone. value: clip(g, -value, value).
    global_norm: the factor of all gradients as one vector, min(1, global_norm / |all|).
    """

    norm: float | None = None
    value: float | None = None
    global_norm: float | None = None

    def __post_init__(self) -> None:
        if sum(b is not None for b in (self.norm, self.value, self.global_norm)) > 1:
            raise ValueError("[reference.clip] only one of norm, value and global_norm can be set")

    def __call__(self, grads: Sequence[Array]) -> list[Array]:
        """Clipped gradients, as new arrays."""
        if self.norm is not None:
            bound = self.norm
            return [g * (bound / max(math.sqrt(_square_sum(g)), bound)) for g in grads]
        if self.value is not None:
            return [np.clip(g, -self.value, self.value) for g in grads]
        if self.global_norm is not None:
            norm = math.sqrt(sum(_square_sum(g) for g in grads))
            factor = self.global_norm / max(norm, self.global_norm)
            return [g * factor for g in grads]
        return list(grads)


def _square_sum(g: Array) -> float:
    return float(np.sum(np.square(g)))


@dataclass
class Sgd:
    """w -= lr·g; with momentum μ: m = μ·m - lr·g, w += m; Nesterov: w += μ·m - lr·g."""

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    slots: list[Array] = field(default_factory=list)

    def step(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """Update the parameters in place; their order must stay the same from call to call."""
        lr, momentum = self.learning_rate, self.momentum
        self.slots = self.slots or [np.zeros_like(w) for w in params]
        for w, g, m in zip(params, grads, self.slots, strict=True):
            m *= momentum
            m -= lr * g
            w += momentum * m - lr * g if self.nesterov else m


@dataclass
class Adam:
    """m += (1 - β₁)(g - m), v += (1 - β₂)(g² - v), w -= α·m / (√v + ε).

    α = lr·√(1 - β₂ᵗ) / (1 - β₁ᵗ) at step t = 1, 2, ...
    """

    learning_rate: float = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    iterations: int = 0
    first: list[Array] = field(default_factory=list)
    second: list[Array] = field(default_factory=list)

    def step(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """Update the parameters in place; their order must stay the same from call to call."""
        self.first = self.first or [np.zeros_like(w) for w in params]
        self.second = self.second or [np.zeros_like(w) for w in params]
        self.iterations += 1
        t = self.iterations
        alpha = self.learning_rate * math.sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        for w, g, m, v in zip(params, grads, self.first, self.second, strict=True):
            m += (1.0 - self.beta_1) * (g - m)
            v += (1.0 - self.beta_2) * (g * g - v)
            w -= alpha * m / (np.sqrt(v) + self.epsilon)
