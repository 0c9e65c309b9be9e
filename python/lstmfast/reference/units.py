"""The GRU and the simple recurrent unit: equations and gradients.

Arrays are (B, T, ...). Parameters are dicts as of Keras's layers: kernel (I, G·H),
recurrent_kernel (H, G·H) and bias, with the gates of a GRU in the order z, r, h. The bias may be
missing; that of a GRU is (3H), or with ``reset_after`` (2, 3H), the second row for h·R.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array
from .recurrence import Arrays, Cache, States, run_backward, run_forward

__all__ = ["gru_backward", "gru_forward", "simple_rnn_backward", "simple_rnn_forward"]


@dataclass
class Gru:
    """h = z ⊙ h + (1 - z) ⊙ g of one step; see `gru_forward`."""

    activation: Activation
    recurrent_activation: Activation
    reset_after: bool

    def step(self, p: Arrays, x: Array, states: States, h_in: Array) -> tuple[States, Any]:
        """The new h, and what `back` needs."""
        (h,), W, R = states, p["kernel"], p["recurrent_kernel"]
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
        return [z * h + (1.0 - z) * g], (x, h, h_in, pre, gates, read, q, pre_g, g)

    def back(self, p: Arrays, kept: Any, d: States, grads: Arrays) -> tuple[Array, States, Array]:
        """The gradients of x, h and h_in from that of the new h; those of `p` are added."""
        (dh,), (x, h, h_in, pre, gates, read, q, pre_g, g) = d, kept
        W, R = p["kernel"], p["recurrent_kernel"]
        H = len(R)
        z, r = gates[:, :H], gates[:, H:]
        dg = dh * (1.0 - z) * self.activation.derivative(pre_g, g)
        dq = dg * r if self.reset_after else dg
        dread = dq @ R[:, 2 * H :].T
        dr = dg * q if self.reset_after else dread * h_in
        dzr = np.concatenate([dh * (h - g), dr], -1)
        dzr *= self.recurrent_activation.derivative(pre, gates)
        of_x, of_h = np.concatenate([dzr, dg], -1), np.concatenate([dzr, dq], -1)
        grads["kernel"] += x.T @ of_x
        grads["recurrent_kernel"][:, : 2 * H] += h_in.T @ dzr
        grads["recurrent_kernel"][:, 2 * H :] += read.T @ dq
        if "bias" in p:
            both = np.stack([of_x.sum(0), of_h.sum(0)])
            grads["bias"] += both if self.reset_after else both[0]
        dh_in = dzr @ R[:, : 2 * H].T + (dread if self.reset_after else dread * r)
        return of_x @ W.T, [dh * z], dh_in


@dataclass
class SimpleRnn:
    """h = φ(b + x·W + h·R) of one step."""

    activation: Activation

    def step(self, p: Arrays, x: Array, states: States, h_in: Array) -> tuple[States, Any]:
        """The new h, and what `back` needs."""
        pre = x @ p["kernel"] + h_in @ p["recurrent_kernel"] + p.get("bias", 0.0)
        new = self.activation.value(pre)
        return [new], (x, h_in, pre, new)

    def back(self, p: Arrays, kept: Any, d: States, grads: Arrays) -> tuple[Array, States, Array]:
        """The gradients of x, h and h_in from that of the new h; those of `p` are added."""
        x, h_in, pre, new = kept
        dz = d[0] * self.activation.derivative(pre, new)
        grads["kernel"] += x.T @ dz
        grads["recurrent_kernel"] += h_in.T @ dz
        if "bias" in p:
            grads["bias"] += dz.sum(0)
        return dz @ p["kernel"].T, [np.zeros_like(dz)], dz @ p["recurrent_kernel"].T


def gru_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None = None,
    *,
    reset_after: bool = True,
    activation: str | Activation = "tanh",
    recurrent_activation: str | Activation = "sigmoid",
    **run: Any,
) -> tuple[Array, Array, Cache]:
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
    return _run(unit, x, params, h0, **run)


def simple_rnn_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None = None,
    *,
    activation: str | Activation = "tanh",
    **run: Any,
) -> tuple[Array, Array, Cache]:
    """Return y, the last h and a cache of h = φ(b + x·W + h·R); arguments as `gru_forward`'s."""
    return _run(SimpleRnn(get_activation(activation)), x, params, h0, **run)


def simple_rnn_backward(
    dy: npt.ArrayLike, dh: npt.ArrayLike | None, cache: Cache
) -> tuple[Array, Array, Arrays]:
    """Return dx, dh0 and the gradients of the parameters, from those of y and of the last h."""
    dx, (dh0,), grads = run_backward(dy, [dh], cache)
    return dx, dh0, grads


gru_backward = simple_rnn_backward


def _run(
    unit: Gru | SimpleRnn,
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    h0: npt.ArrayLike | None,
    **run: Any,
) -> tuple[Array, Array, Cache]:
    hidden = np.shape(params["recurrent_kernel"])[0]
    y, (h,), cache = run_forward(unit, x, params, [h0], [hidden], **run)
    return y, h, cache
