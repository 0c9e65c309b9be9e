"""The convolutional LSTM: equations, gradients, and the loop over time.

Arrays are (B, T, n₁, ..., C), states (B, windows₁, ..., F). Parameters are dicts as of Keras's
layers: kernel (taps₁, ..., C, 4F), recurrent_kernel (taps₁, ..., F, 4F) and perhaps bias (4F),
gates in the order i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array, as_real, quiet_overflow
from .parameters import Masks
from .windows import Positions, conv_backward, conv_forward, window_positions

__all__ = ["conv_lstm_backward", "conv_lstm_forward"]


@dataclass
class ConvLstmCache:
    """What the backward pass needs. A step is its time, its real rows, and its values."""

    params: dict[str, Array]
    of_x: Sequence[Positions]
    of_h: Sequence[Positions]
    functions: tuple[Activation, Activation]
    masks: Masks
    shape: tuple[int, ...]
    zero: bool
    steps: list[tuple[int, Array, tuple[Any, ...]]] = field(default_factory=list)


def conv_lstm_forward(
    x: npt.ArrayLike,
    params: Mapping[str, npt.ArrayLike],
    of_axes: Sequence[Positions],
    state: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    *,
    activation: str | Activation = "tanh",
    recurrent_activation: str | Activation = "sigmoid",
    mask: npt.ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    masks: Masks | None = None,
    reverse: bool = False,
) -> tuple[Array, tuple[Array, Array], ConvLstmCache]:
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
    x, masks = np.asarray(x), masks or Masks()
    used = {name: as_real(value, x.dtype) for name, value in params.items()}
    phi, sigma = get_activation(activation), get_activation(recurrent_activation)
    taps = used["recurrent_kernel"].shape[:-2]
    of_h = [
        window_positions(len(places), count, padding="same")
        for places, count in zip(of_axes, taps, strict=True)
    ]
    if masks.input is not None:
        x = x * masks.input[:, None]
    B, T, F = *x.shape[:2], used["recurrent_kernel"].shape[-2]
    zeros = np.zeros((B, *map(len, of_axes), F), x.dtype)
    h, c = (zeros, zeros) if state is None else (as_real(each, x.dtype) for each in state)
    real = np.ones((B, T), bool) if mask is None else np.asarray(mask, bool)
    y, shown = np.zeros((B, T, *zeros.shape[1:]), x.dtype), zeros
    drop = 1.0 if masks.recurrent is None else masks.recurrent
    cache = ConvLstmCache(used, of_axes, of_h, (phi, sigma), masks, x.shape, zero_output_for_mask)
    with quiet_overflow():
        for t in reversed(range(T)) if reverse else range(T):
            rows = real[:, t].reshape(B, *[1] * (zeros.ndim - 1))
            z = conv_forward(x[:, t], used["kernel"], of_axes, used.get("bias"))
            z = z + conv_forward(h * drop, used["recurrent_kernel"], of_h)
            zs = np.split(z, 4, -1)
            i, f, o = (sigma.value(zs[k]) for k in (0, 1, 3))
            g = phi.value(zs[2])
            new = f * c + i * g
            u = phi.value(new)
            cache.steps.append((t, rows, (x[:, t], h * drop, c, zs, (i, f, g, o), new, u)))
            h, c = np.where(rows, o * u, h), np.where(rows, new, c)
            shown = np.where(rows, h, 0.0 if zero_output_for_mask else shown)
            y[:, t] = shown
    return y, (h, c), cache


def conv_lstm_backward(
    dy: npt.ArrayLike,
    dh: npt.ArrayLike | None,
    dc: npt.ArrayLike | None,
    cache: ConvLstmCache,
) -> tuple[Array, tuple[Array, Array], dict[str, Array]]:
    """Return dx, (dh0, dc0) and the gradients of the parameters.

    They follow from those of y, and of the last h and c.
    """
    dy, masks, p = np.asarray(dy), cache.masks, cache.params
    phi, sigma = cache.functions
    dx = np.zeros(cache.shape, dy.dtype)
    zeros = np.zeros_like(dy[:, 0])
    carry, carry_c = (zeros if d is None else as_real(d, dy.dtype) for d in (dh, dc))
    held = zeros  # for the output of the step before, which a masked one repeats
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    for t, rows, (x, h_in, c, zs, (i, f, g, o), new, u) in reversed(cache.steps):
        d_shown = dy[:, t] + held
        held = np.where(rows, 0.0, 0.0 if cache.zero else d_shown)
        d = np.where(rows, carry + d_shown, 0.0)
        d_new = np.where(rows, carry_c + d * o * phi.derivative(new, u), 0.0)
        dz = np.concatenate(
            [
                d_new * g * sigma.derivative(zs[0], i),
                d_new * c * sigma.derivative(zs[1], f),
                d_new * i * phi.derivative(zs[2], g),
                d * u * sigma.derivative(zs[3], o),
            ],
            -1,
        )
        dx[:, t], of_kernel, of_bias = conv_backward(dz, x, p["kernel"], cache.of_x)
        past, of_recurrent, _ = conv_backward(dz, h_in, p["recurrent_kernel"], cache.of_h)
        grads["kernel"] += of_kernel
        grads["recurrent_kernel"] += of_recurrent
        if "bias" in p:
            grads["bias"] += of_bias
        if masks.recurrent is not None:
            past = past * masks.recurrent
        carry = np.where(rows, past, carry)
        carry_c = np.where(rows, d_new * f, carry_c)
    if masks.input is not None:
        dx *= masks.input[:, None]
    return dx, (carry, carry_c), grads
