"""The loop over time of units whose state is h, or h and more: masks, truncation, gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, quiet_overflow
from .parameters import Masks

Arrays = dict[str, Array]
States = list[Array]
"""h, and what else a unit carries from step to step."""


class Unit(Protocol):
    """What is computed in a step; h_in is h where the products read it, with its mask."""

    def step(self, p: Arrays, x: Array, states: States, h_in: Array) -> tuple[States, Any]:
        """The new states, and what `back` needs."""

    def back(self, p: Arrays, kept: Any, d: States, grads: Arrays) -> tuple[Array, States, Array]:
        """The gradients of x, states and h_in from those of the new states; those of `p` are added.

        What reaches h by way of h_in is not in that of h.
        """


@dataclass
class Cache:
    """What the backward pass needs: the unit, its parameters, the masks, and each step's values.

    `params` has the weight mask applied. A step is its time, its real rows, the rows to whose
    state no gradient goes, and what the unit keeps.
    """

    unit: Unit
    params: Arrays
    masks: Masks
    shape: tuple[int, ...]
    zero: bool
    learns_start: bool
    steps: list[tuple[int, Array, Array, Any]] = field(default_factory=list)

    def dropped(self, h: Array, t: int) -> Array:
        """A state, or its gradient, times the recurrent mask of step t."""
        mask = self.masks.recurrent
        return h if mask is None else h * (mask if mask.ndim <= h.ndim else mask[:, t])


def run_forward(
    unit: Unit,
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    states: Sequence[npt.ArrayLike | None],
    of_state: Sequence[int],
    *,
    mask: npt.ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    masks: Masks | None = None,
    bptt_steps: int | None = None,
    reverse: bool = False,
) -> tuple[Array, States, Cache]:
    """Return y, the last states and a cache; of_state is the shape of a state of one row."""
    x, masks = np.asarray(x), masks or Masks()
    used = {name: as_real(value, x.dtype) for name, value in params.items()}
    start = used.pop("initial_h", None)
    if masks.weight is not None:
        used["recurrent_kernel"] = used["recurrent_kernel"] * masks.weight
    if masks.input is not None:
        x = x * masks.input[:, None]
    B, T = x.shape[:2]
    zeros = np.zeros((B, *of_state), x.dtype)
    now = [zeros if each is None else as_real(each, x.dtype) for each in states]
    if start is not None:
        now[0] = np.tile(start, (B, 1))
    real = np.ones((B, T), bool) if mask is None else np.asarray(mask, bool)
    y, shown, done = np.zeros((B, T, *of_state), x.dtype), zeros, zeros.astype(int)
    cache = Cache(unit, used, masks, x.shape, zero_output_for_mask, start is not None)
    with quiet_overflow():
        for t in reversed(range(T)) if reverse else range(T):
            rows = real[:, t].reshape(B, *[1] * len(of_state))
            new, kept = unit.step(used, x[:, t], now, cache.dropped(now[0], t))
            now = [np.where(rows, each, before) for each, before in zip(new, now, strict=True)]
            shown = np.where(rows, new[0], 0.0 if zero_output_for_mask else shown)
            y[:, t] = shown
            stop = (done > 0) & (done % (bptt_steps or T + 1) == 0)
            cache.steps.append((t, rows, stop, kept))
            done = done + rows
    return y, now, cache


def run_backward(
    dy: npt.ArrayLike, d_states: Sequence[npt.ArrayLike | None], cache: Cache
) -> tuple[Array, States, Arrays]:
    """Return dx, the gradients of the first states and of the parameters."""
    dy, masks = np.asarray(dy), cache.masks
    dx, zeros = np.zeros(cache.shape, dy.dtype), np.zeros_like(dy[:, 0])
    carry = [zeros if d is None else as_real(d, dy.dtype) for d in d_states]
    held = zeros  # for the output of the step before, which a masked one repeats
    grads = {name: np.zeros_like(value) for name, value in cache.params.items()}
    for t, real, stop, kept in reversed(cache.steps):
        d_shown = dy[:, t] + held
        held = np.where(real, 0.0, 0.0 if cache.zero else d_shown)
        d = [np.where(real, each, 0.0) for each in (carry[0] + d_shown, *carry[1:])]
        dx[:, t], past, through = cache.unit.back(cache.params, kept, d, grads)
        past[0] = past[0] + cache.dropped(through, t)
        carry = [
            np.where(real, np.where(stop, 0.0, each), before)
            for each, before in zip(past, carry, strict=True)
        ]
    if masks.input is not None:
        dx *= masks.input[:, None]
    if masks.weight is not None:
        grads["recurrent_kernel"] *= masks.weight
    if cache.learns_start:
        grads["initial_h"] = carry[0].sum(axis=0)
    return dx, carry, grads
