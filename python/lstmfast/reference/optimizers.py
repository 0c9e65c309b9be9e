"""Optimizers and gradient clipping with Keras's formulas; parameters change in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from .arrays import Array

__all__ = [
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Clip",
    "Lion",
    "Nadam",
    "Optimizer",
    "RmsProp",
    "Sgd",
]


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


Slots: TypeAlias = "dict[str, Array]"


@dataclass(kw_only=True)
class Optimizer:
    """What all optimizers do around their step, in Keras's order.

    In every batch: decay weights, w -= lr·weight_decay·w; step; average weights,
    a = m·a + (1 - m)·w with m = 0 in the first step. With gradient_accumulation_steps n, every n-th
    batch steps by the mean gradient since the last step; rates follow from batches, all else from
    steps.
    """

    learning_rate: float | Callable[[int], float]
    weight_decay: float | None = None
    undecayed: frozenset[int] = frozenset()  # places of parameters without decay
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None
    gradient_accumulation_steps: int | None = None
    batches: int = 0
    slots: list[Slots] = field(default_factory=list)
    averages: list[Array] = field(default_factory=list)
    sums: list[Array] = field(default_factory=list)

    def step(
        self, params: Sequence[Array], grads: Sequence[Array], clip: Clip | None = None
    ) -> None:
        """Update the parameters in place; their order must stay the same from call to call."""
        if not self.batches:
            self.slots = [self.first_slots(w) for w in params]
            self.averages = [np.zeros_like(w) for w in params]
            self.sums = [np.zeros_like(w) for w in params]
        lr = self.learning_rate
        lr = lr(self.batches) if callable(lr) else lr
        together = self.gradient_accumulation_steps or 1
        done = self.batches // together
        self.batches += 1
        self.sums = [a + g for a, g in zip(self.sums, grads, strict=True)]
        if self.batches % together == 0:
            means = [a / together for a in self.sums]
            self.sums = [np.zeros_like(a) for a in self.sums]
            for place, (w, g) in enumerate(zip(params, (clip or Clip())(means), strict=True)):
                if self.weight_decay and place not in self.undecayed:
                    w -= lr * self.weight_decay * w
                self.move(w, g, self.slots[place], lr, done + 1)
        if not self.use_ema:
            return
        m = self.ema_momentum if done else 0.0
        self.averages = [m * a + (1 - m) * w for a, w in zip(self.averages, params, strict=True)]
        if self.ema_overwrite_frequency and (done + 1) % self.ema_overwrite_frequency == 0:
            self.finish(params)

    def finish(self, params: Sequence[Array]) -> None:
        """Replace the parameters by their average, where there is one."""
        if self.use_ema:
            for w, a in zip(params, self.averages, strict=True):
                w[...] = a

    def first_slots(self, w: Array) -> Slots:
        """Return what is remembered of a parameter before the first step."""
        return {name: np.zeros_like(w) for name in ("m", "v", "u")}

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t, counted from 1."""
        raise NotImplementedError


@dataclass
class Sgd(Optimizer):
    """w -= lr·g; with momentum μ: m = μ·m - lr·g, w += m; Nesterov: w += μ·m - lr·g."""

    learning_rate: float | Callable[[int], float] = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        s["m"] = self.momentum * s["m"] - lr * g
        w += self.momentum * s["m"] - lr * g if self.nesterov else s["m"]


@dataclass
class WithMoments(Optimizer):
    """m += (1 - β₁)(g - m), v += (1 - β₂)(g² - v)."""

    learning_rate: float | Callable[[int], float] = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def moments(self, g: Array, s: Slots) -> tuple[Array, Array]:
        """Return m and v after another gradient."""
        s["m"] += (1.0 - self.beta_1) * (g - s["m"])
        s["v"] += (1.0 - self.beta_2) * (g * g - s["v"])
        return s["m"], s["v"]


@dataclass
class Adam(WithMoments):
    """w -= α·m / (√v + ε), α = lr·√(1 - β₂ᵗ) / (1 - β₁ᵗ); amsgrad: by the largest v so far."""

    amsgrad: bool = False

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        m, v = self.moments(g, s)
        if self.amsgrad:
            s["u"] = v = np.maximum(s["u"], v)
        alpha = lr * math.sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        w -= alpha * m / (np.sqrt(v) + self.epsilon)


@dataclass
class AdamW(Adam):
    """Adam with weight decay."""

    weight_decay: float | None = 0.004


@dataclass
class Adamax(WithMoments):
    """u = max(β₂·u, |g|), w -= lr / (1 - β₁ᵗ)·m / (u + ε)."""

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        m, _ = self.moments(g, s)
        s["u"] = np.maximum(self.beta_2 * s["u"], np.abs(g))
        w -= lr / (1.0 - self.beta_1**t) * m / (s["u"] + self.epsilon)


@dataclass
class Nadam(WithMoments):
    """w -= lr·m̂ / (√(v / (1 - β₂ᵗ)) + ε), m̂ = uₜ₊₁·m / (1 - Pₜ₊₁) + (1 - uₜ)·g / (1 - Pₜ).

    uₜ = β₁(1 - 0.96ᵗ / 2) and Pₜ = u₁·…·uₜ.
    """

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        u = [self.beta_1 * (1.0 - 0.5 * 0.96**i) for i in range(1, t + 2)]
        m, v = self.moments(g, s)
        m_hat = u[t] * m / (1.0 - math.prod(u)) + (1.0 - u[t - 1]) * g / (1.0 - math.prod(u[:t]))
        w -= lr * m_hat / (np.sqrt(v / (1.0 - self.beta_2**t)) + self.epsilon)


@dataclass
class RmsProp(Optimizer):
    """v = ρ·v + (1 - ρ)·g², s = lr·g / √(v + ε), w -= s; with momentum u = μ·u + s, w -= u.

    Centered: m = ρ·m + (1 - ρ)·g, and v - m² in place of v.
    """

    learning_rate: float | Callable[[int], float] = 1e-3
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        s["m"] = self.rho * s["m"] + (1.0 - self.rho) * g
        s["v"] = self.rho * s["v"] + (1.0 - self.rho) * g * g
        variance = np.maximum(s["v"] - s["m"] ** 2, 0.0) if self.centered else s["v"]
        s["u"] = self.momentum * s["u"] + lr * g / np.sqrt(variance + self.epsilon)
        w -= s["u"]


@dataclass
class Adagrad(Optimizer):
    """v += g², w -= lr·g / √(v + ε)."""

    learning_rate: float | Callable[[int], float] = 1e-3
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    def first_slots(self, w: Array) -> Slots:
        """Return v before the first step."""
        return {"v": np.full_like(w, self.initial_accumulator_value)}

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        s["v"] = s["v"] + g * g
        w -= lr * g / np.sqrt(s["v"] + self.epsilon)


@dataclass
class Adadelta(Optimizer):
    """v = ρ·v + (1 - ρ)·g², d = g·√(u + ε) / √(v + ε), u = ρ·u + (1 - ρ)·d², w -= lr·d."""

    learning_rate: float | Callable[[int], float] = 1e-3
    rho: float = 0.95
    epsilon: float = 1e-7

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        s["v"] = self.rho * s["v"] + (1.0 - self.rho) * g * g
        d = g * np.sqrt(s["u"] + self.epsilon) / np.sqrt(s["v"] + self.epsilon)
        s["u"] = self.rho * s["u"] + (1.0 - self.rho) * d * d
        w -= lr * d


@dataclass
class Lion(Optimizer):
    """w -= lr·sign(β₁·m + (1 - β₁)·g), then m = β₂·m + (1 - β₂)·g."""

    learning_rate: float | Callable[[int], float] = 1e-3
    beta_1: float = 0.9
    beta_2: float = 0.99

    def move(self, w: Array, g: Array, s: Slots, lr: float, t: int) -> None:
        """Take step t."""
        w -= lr * np.sign(self.beta_1 * s["m"] + (1.0 - self.beta_1) * g)
        s["m"] = self.beta_2 * s["m"] + (1.0 - self.beta_2) * g
