"""The convolutional LSTM: equations and gradients.

Arrays are (B, T, n₁, ..., C), states (B, windows₁, ..., F). Parameters are dicts as of Keras's
layers: kernel (taps₁, ..., C, 4F), recurrent_kernel (taps₁, ..., F, 4F) and perhaps bias (4F),
gates in the order i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array
from .recurrence import Arrays, Cache, States, run_backward, run_forward
from .windows import Positions, conv_backward, conv_forward, window_positions

__all__ = ["conv_lstm_backward", "conv_lstm_forward"]


@dataclass
class ConvLstm:
    """c and h of one step; see `conv_lstm_forward`."""

    of_x: Sequence[Positions]
    of_h: Sequence[Positions]
    phi: Activation
    sigma: Activation

    def step(self, p: Arrays, x: Array, states: States, h_in: Array) -> tuple[States, Any]:
        """The new h and c, and what `back` needs."""
        phi, sigma, c = self.phi, self.sigma, states[1]
        z = conv_forward(x, p["kernel"], self.of_x, p.get("bias"))
        z = z + conv_forward(h_in, p["recurrent_kernel"], self.of_h)
        zs = np.split(z, 4, -1)
        i, f, o = (sigma.value(zs[k]) for k in (0, 1, 3))
        g = phi.value(zs[2])
        new = f * c + i * g
        u = phi.value(new)
        return [o * u, new], (x, h_in, c, zs, (i, f, g, o), new, u)

    def back(self, p: Arrays, kept: Any, d: States, grads: Arrays) -> tuple[Array, States, Array]:
        """The gradients of x, the states and h_in; those of `p` are added."""
        phi, sigma = self.phi, self.sigma
        (dh, dc), (x, h_in, c, zs, (i, f, g, o), new, u) = d, kept
        d_new = dc + dh * o * phi.derivative(new, u)
        parts = [
            d_new * g * sigma.derivative(zs[0], i),
            d_new * c * sigma.derivative(zs[1], f),
            d_new * i * phi.derivative(zs[2], g),
            dh * u * sigma.derivative(zs[3], o),
        ]
        dz = np.concatenate(parts, -1)
        dx, of_kernel, of_bias = conv_backward(dz, x, p["kernel"], self.of_x)
        dh_in, of_recurrent, _ = conv_backward(dz, h_in, p["recurrent_kernel"], self.of_h)
        grads["kernel"] += of_kernel
        grads["recurrent_kernel"] += of_recurrent
        if "bias" in p:
            grads["bias"] += of_bias
        return dx, [np.zeros_like(dh), d_new * f], dh_in


def conv_lstm_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    of_axes: Sequence[Positions],
    state: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    *,
    activation: str | Activation = "tanh",
    recurrent_activation: str | Activation = "sigmoid",
    **run: Any,
) -> tuple[Array, tuple[Array, Array], Cache]:
    """Return y (B, T, windows₁, ..., F), the last h and c, and a cache for `conv_lstm_backward`.

    z = b + x ∗ kernel + h ∗ recurrent_kernel; i, f, o = σ(z_i), σ(z_f), σ(z_o);
    c = f ⊙ c + i ⊙ φ(z_g); h = o ⊙ φ(c).

    Parameters
    ----------
    x : (B, T, n₁, ..., C)
        The input.
    params : mapping
        kernel, recurrent_kernel and perhaps bias.
    of_axes : sequence of array
        The `window_positions` of each axis of x.
    state : (h, c), optional
        To begin with; zeros by default.
    activation, recurrent_activation : str or Activation
        φ and σ.
    mask : (B, T) of bool, optional
        False where a step is skipped; its y is that of the step before, at first 0.
    zero_output_for_mask : bool
        y of skipped steps is 0.
    masks : Masks, optional
        Of x (B, n₁, ..., C), and of h where the gates read it.
    reverse : bool
        Go from the last step to the first; y[:, t] belongs to x[:, t].
    """
    recurrent = np.asarray(params["recurrent_kernel"])
    of_h = [
        window_positions(len(places), count, padding="same")
        for places, count in zip(of_axes, recurrent.shape, strict=False)
    ]
    unit = ConvLstm(of_axes, of_h, get_activation(activation), get_activation(recurrent_activation))
    of_state = *map(len, of_axes), recurrent.shape[-2]
    y, (h, c), cache = run_forward(unit, x, params, state or (None, None), of_state, **run)
    return y, (h, c), cache


def conv_lstm_backward(
    dy: npt.ArrayLike,
    dh: npt.ArrayLike | None,
    dc: npt.ArrayLike | None,
    cache: Cache,
) -> tuple[Array, tuple[Array, Array], dict[str, Array]]:
    """Return dx, (dh0, dc0) and the gradients of the parameters.

    They follow from those of y, and of the last h and c.
    """
    dx, (dh0, dc0), grads = run_backward(dy, [dh, dc], cache)
    return dx, (dh0, dc0), grads
