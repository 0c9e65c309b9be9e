"""The GRU and the simple recurrent unit: equations, gradients, and the loop over time.

Arrays are (B, T, ...). Parameters are dicts as of Keras's layers: kernel (I, G·H),
recurrent_kernel (H, G·H) and bias, with the gates of a GRU in the order z, r, h. The bias may be
missing; that of a GRU is (3H), or with ``reset_after`` (2, 3H), the second row for h·R.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array, as_real, quiet_overflow
from .parameters import Masks

__all__ = ["gru_backward", "gru_forward", "simple_rnn_backward", "simple_rnn_forward"]

Gradients = dict[str, Array]


@dataclass
class Gru:
    """h = z ⊙ h + (1 - z) ⊙ g of one step; see `gru_forward`."""

    activation: Activation
    recurrent_activation: Activation
    reset_after: bool

    def step(self, p: Gradients, x: Array, h: Array, h_in: Array) -> tuple[Array, tuple[Any, ...]]:
        """The new h, and what `back` needs."""
        W, R = p["kernel"], p["recurrent_kernel"]
        H = len(R)
        b, rb = np.zeros((2, 3 * H), x.dtype)
        if "bias" in p:
            b, rb = p["bias"] if self.reset_after else (p["bias"], rb)
        of_x = x @ W + b
        of_h = h_in @ R[:, : 2 * H] + rb[: 2 * H]
        pre = of_x[:, : 2 * H] + of_h
        gates = self.recurrent_activation.value(pre)
        z, r = gates[:, :H], gates[:, H:]
        read = h_in if self.reset_after else r * h_in  # what R of the candidate sees
        q = read @ R[:, 2 * H :] + rb[2 * H :]
        pre_g = of_x[:, 2 * H :] + (r * q if self.reset_after else q)
        g = self.activation.value(pre_g)
        return z * h + (1.0 - z) * g, (x, h, h_in, pre, gates, read, q, pre_g, g)

    def back(
        self, p: Gradients, kept: tuple[Any, ...], dh: Array, grads: Gradients
    ) -> tuple[Array, Array, Array]:
        """The gradients of x, h and h_in from that of the new h; those of `p` are added."""
        x, h, h_in, pre, gates, read, q, pre_g, g = kept
        W, R = p["kernel"], p["recurrent_kernel"]
        H = len(R)
        z, r = gates[:, :H], gates[:, H:]
        dg = dh * (1.0 - z) * self.activation.derivative(pre_g, g)
        dq = dg * r if self.reset_after else dg
        dread = dq @ R[:, 2 * H :].T
        dr = dg * q if self.reset_after else dread * h_in
        d = np.concatenate([dh * (h - g), dr], -1) * self.recurrent_activation.derivative(
            pre, gates
        )
        of_x, of_h = np.concatenate([d, dg], -1), np.concatenate([d, dq], -1)
        grads["kernel"] += x.T @ of_x
        grads["recurrent_kernel"][:, : 2 * H] += h_in.T @ d
        grads["recurrent_kernel"][:, 2 * H :] += read.T @ dq
        if "bias" in p:
            both = np.stack([of_x.sum(0), of_h.sum(0)])
            grads["bias"] += both if self.reset_after else both[0]
        dh_in = d @ R[:, : 2 * H].T + (dread if self.reset_after else dread * r)
        return of_x @ W.T, dh * z, dh_in


@dataclass
class SimpleRnn:
    """h = φ(b + x·W + h·R) of one step."""

    activation: Activation

    def step(self, p: Gradients, x: Array, h: Array, h_in: Array) -> tuple[Array, tuple[Any, ...]]:
        """The new h, and what `back` needs."""
        pre = x @ p["kernel"] + h_in @ p["recurrent_kernel"] + p.get("bias", 0.0)
        new = self.activation.value(pre)
        return new, (x, h_in, pre, new)

    def back(
        self, p: Gradients, kept: tuple[Any, ...], dh: Array, grads: Gradients
    ) -> tuple[Array, Array, Array]:
        """The gradients of x, h and h_in from that of the new h; those of `p` are added."""
        x, h_in, pre, new = kept
        d = dh * self.activation.derivative(pre, new)
        grads["kernel"] += x.T @ d
        grads["recurrent_kernel"] += h_in.T @ d
        if "bias" in p:
            grads["bias"] += d.sum(0)
        return d @ p["kernel"].T, np.zeros_like(dh), d @ p["recurrent_kernel"].T


@dataclass
class UnitCache:
    """What the backward pass needs: the unit, its parameters, the masks, and each step's values.

    `params` has the weight mask applied. A step is its time, its real rows, the rows to whose
    state no gradient goes, and what the unit keeps.
    """

    unit: Gru | SimpleRnn
    params: Gradients
    masks: Masks
    shape: tuple[int, ...]
    zero: bool
    learns_start: bool = False
    steps: list[tuple[int, Array, Array, tuple[Any, ...]]] = field(default_factory=list)

    def dropped(self, t: int) -> Array | float:
        """The recurrent mask of step t."""
        mask = self.masks.recurrent
        return 1.0 if mask is None else mask if mask.ndim == 2 else mask[:, t]


def _forward(
    unit: Gru | SimpleRnn,
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None = None,
    *,
    mask: npt.ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    masks: Masks | None = None,
    bptt_steps: int | None = None,
    reverse: bool = False,
) -> tuple[Array, Array, UnitCache]:
    x = np.asarray(x)
    masks = masks or Masks()
    used = {name: as_real(value, x.dtype) for name, value in params.items()}
    start = used.pop("initial_h", None)
    if masks.weight is not None:
        used["recurrent_kernel"] = used["recurrent_kernel"] * masks.weight
    if masks.input is not None:
        x = x * masks.input[:, None]
    B, T, _ = x.shape
    H = len(used["recurrent_kernel"])
    h0 = h0 if start is None else np.tile(start, (B, 1))
    h = np.zeros((B, H), x.dtype) if h0 is None else as_real(h0, x.dtype)
    real = np.ones((B, T), bool) if mask is None else np.asarray(mask, bool)
    y, shown, done = np.zeros((B, T, H), x.dtype), np.zeros((B, H), x.dtype), np.zeros((B, 1), int)
    cache = UnitCache(unit, used, masks, x.shape, zero_output_for_mask, start is not None)
    with quiet_overflow():
        for t in reversed(range(T)) if reverse else range(T):
            rows = real[:, t, None]
            new, kept = unit.step(used, x[:, t], h, h * cache.dropped(t))
            h = np.where(rows, new, h)
            shown = np.where(rows, new, 0.0 if zero_output_for_mask else shown)
            y[:, t] = shown
            stop = (done > 0) & (done % (bptt_steps or T + 1) == 0)
            cache.steps.append((t, rows, stop, kept))
            done = done + rows
    return y, h, cache


def _backward(
    dy: npt.ArrayLike, dh: npt.ArrayLike | None, cache: UnitCache
) -> tuple[Array, Array, Gradients]:
    dy, masks = np.asarray(dy), cache.masks
    dx = np.zeros(cache.shape, dy.dtype)
    carry = np.zeros_like(dy[:, 0]) if dh is None else as_real(dh, dy.dtype)
    held = np.zeros_like(carry)  # for the output of the step before, which a masked one repeats
    grads = {name: np.zeros_like(value) for name, value in cache.params.items()}
    for t, real, stop, kept in reversed(cache.steps):
        d_shown = dy[:, t] + held
        held = np.where(real, 0.0, 0.0 if cache.zero else d_shown)
        d = np.where(real, carry + d_shown, 0.0)
        dx[:, t], past, through = cache.unit.back(cache.params, kept, d, grads)
        past = np.where(stop, 0.0, past + through * cache.dropped(t))
        carry = np.where(real, past, carry)
    if masks.input is not None:
        dx *= masks.input[:, None]
    if masks.weight is not None:
        grads["recurrent_kernel"] *= masks.weight
    if cache.learns_start:
        grads["initial_h"] = carry.sum(axis=0)
    return dx, carry, grads


def gru_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None = None,
    *,
    reset_after: bool = True,
    activation: str | Activation = "tanh",
    recurrent_activation: str | Activation = "sigmoid",
    **run: Any,
) -> tuple[Array, Array, UnitCache]:
    """Return y (B, T, H), the last h (B, H) and a cache for `gru_backward`.

    z = σ(x·W_z + b_z + h·R_z + rb_z) and r alike; g = φ(x·W_h + b_h + r ⊙ (h·R_h + rb_h)) with
    `reset_after`, else φ(x·W_h + b_h + (r ⊙ h)·R_h); h = z ⊙ h + (1 - z) ⊙ g.

    Parameters
    ----------
    x : (B, T, I)
        The input.
    params : mapping
        kernel (I, 3H), recurrent_kernel (H, 3H) and perhaps bias; initial_h (H), in place of h0,
        is the state of all rows.
    h0 : (B, H), optional
        The state to begin with; zeros by default.
    reset_after : bool
        Whether r multiplies the product of h or, before the product, h.
    activation, recurrent_activation : str or Activation
        φ and σ.
    mask : (B, T) of bool, optional
        False where a step is skipped; its y is that of the step before, at first 0.
    zero_output_for_mask : bool
        y of skipped steps is 0.
    masks : Masks, optional
        Of x, of h where the gates read it, and of the recurrent kernel.
    bptt_steps : int, optional
        No gradient goes back over every so many real steps.
    reverse : bool
        Go from the last step to the first; y[:, t] belongs to x[:, t].
    """
    unit = Gru(get_activation(activation), get_activation(recurrent_activation), reset_after)
    return _forward(unit, x, params, h0, **run)


def gru_backward(
    dy: npt.ArrayLike, dh: npt.ArrayLike | None, cache: UnitCache
) -> tuple[Array, Array, Gradients]:
    """Return dx, dh0 and the gradients of the parameters, from those of y and of the last h."""
    return _backward(dy, dh, cache)


def simple_rnn_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None = None,
    *,
    activation: str | Activation = "tanh",
    **run: Any,
) -> tuple[Array, Array, UnitCache]:
    """Return y, the last h and a cache of h = φ(b + x·W + h·R); arguments as `gru_forward`'s."""
    return _forward(SimpleRnn(get_activation(activation)), x, params, h0, **run)


def simple_rnn_backward(
    dy: npt.ArrayLike, dh: npt.ArrayLike | None, cache: UnitCache
) -> tuple[Array, Array, Gradients]:
    """Return dx, dh0 and the gradients of the parameters, from those of y and of the last h."""
    return _backward(dy, dh, cache)
