"""Layers whose kernels are int8 and whose inputs are quantised step by step; float32 elsewhere.

A kernel has one scale for each output j, shared by those that are added in one sum (x·W and h·R):
s_j is the greatest magnitude in the columns j, over 127. A row of activations has a scale of its
own, s_v, at each step. Products are integers and their sums exact; with t first s_x·(q_x·W)_j and
then t + s_h·(q_h·R)_j, the sum of a unit is z_j = t·s_j + b_j, each operation rounded to float32.
All that follows z is as in the layers that are not quantised. A scale below the smallest normal
number counts as 0, with every q 0; a row that is not finite has the scale NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array, as_real, quiet_overflow
from .cell import Cell, CellOptions, cell_forward
from .dense import softmax
from .parameters import Params

__all__ = [
    "quantize_columns",
    "quantize_rows",
    "quantized_conv1d_forward",
    "quantized_dense_forward",
    "quantized_gru_forward",
    "quantized_lstm_forward",
    "quantized_simple_rnn_forward",
    "quantized_sum",
]

_F32 = np.float32
_TINY = np.finfo(_F32).tiny
_LEVELS = _F32(127)


def quantize_columns(*kernels: npt.ArrayLike) -> tuple[list[Array], Array]:
    """Return kernels (K, J) of one sum as int8 of -127 .. 127, and their scales (J)."""
    given = [as_real(kernel, _F32) for kernel in kernels]
    scale = np.max([np.abs(kernel).max(axis=0) for kernel in given], axis=0) / _LEVELS
    scale[scale < _TINY] = 0
    divisor = np.where(scale == 0, _F32(np.inf), scale)
    return [np.rint(kernel / divisor).astype(np.int8) for kernel in given], scale


def quantize_rows(v: npt.ArrayLike) -> tuple[Array, Array]:
    """Return rows (B, K) as int8 of -127 .. 127, and their scales (B, 1)."""
    rows = as_real(v, _F32)
    most = np.abs(rows).max(axis=-1, keepdims=True)
    scale = np.where(np.isfinite(most), most / _LEVELS, _F32(np.nan))
    scale[scale < _TINY] = 0
    counts = scale > 0
    factor = _LEVELS / np.where(counts, most, _LEVELS)
    q = np.rint(np.where(counts, rows, _F32(0)) * factor)
    return q.astype(np.int8), scale


def quantized_sum(
    rows: Sequence[Array], kernels: Sequence[Array], scale: Array, bias: npt.ArrayLike = 0.0
) -> Array:
    """Return z (B, J), the bias and the products of rows (B, K) and int8 kernels (K, J)."""
    t: Array = np.zeros((), _F32)
    for row, kernel in zip(rows, kernels, strict=True):
        q, s = quantize_rows(row)
        t = s * (q.astype(np.int32) @ kernel.astype(np.int32)).astype(_F32) + t
    z: Array = t * scale + as_real(bias, _F32)
    return z


def quantized_dense_forward(
    x: npt.ArrayLike, params: Params, activation: str | Activation = "linear"
) -> Array:
    """Return y (..., O) of a Dense layer; arguments as those of `dense_forward`."""
    rows = as_real(x, _F32)
    (kernel,), scale = quantize_columns(params["kernel"])
    flat = rows.reshape(-1, rows.shape[-1])
    z = quantized_sum([flat], [kernel], scale, params.get("bias", 0.0))
    z = z.reshape(*rows.shape[:-1], -1)
    with quiet_overflow():
        return softmax(z) if activation == "softmax" else get_activation(activation).value(z)


def quantized_conv1d_forward(
    x: npt.ArrayLike,
    params: Params,
    activation: str | Activation = "linear",
    *,
    dilation_rate: int = 1,
) -> Array:
    """Return y (B, T, O) of a causal convolution, a step's taps being one row.

    Parameters
    ----------
    x : (B, T, I)
        Inputs.
    params : dict
        ``kernel`` (K, I, O) and ``bias`` (O), which may be missing.
    activation : str or Activation
        As for `quantized_dense_forward`.
    dilation_rate : int
        Steps from tap to tap.
    """
    rows, kernel = as_real(x, _F32), np.asarray(params["kernel"])
    B, T, _ = rows.shape
    taps = len(kernel)
    padded = np.pad(rows, ((0, 0), ((taps - 1) * dilation_rate, 0), (0, 0)))
    starts = range(0, taps * dilation_rate, dilation_rate)
    windows = np.concatenate([padded[:, start : start + T] for start in starts], axis=-1)
    flat = {**params, "kernel": kernel.reshape(-1, kernel.shape[-1])}
    return quantized_dense_forward(windows.reshape(B, T, -1), flat, activation)


def quantized_lstm_forward(
    x: npt.ArrayLike,
    params: Params,
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    *,
    options: CellOptions | None = None,
) -> tuple[Array, tuple[Array, Array]]:
    """Return y (B, T, P) and the last h and c; arguments as those of `lstm_forward`.

    W and R share their scales; a projection has its own.
    """
    options = options or CellOptions()
    p = {name: as_real(value, _F32) for name, value in params.items()}
    kernels, scale = quantize_columns(p["kernel"], p["recurrent_kernel"])
    projection = p.pop("projection_kernel", None)
    cell = Cell(p, replace(options, proj_size=0, proj_clip=None), None)
    rows = as_real(x, _F32)
    B, P = len(rows), len(p["recurrent_kernel"])
    h = _first(p.get("initial_h") if h0 is None else h0, (B, P))
    c = _first(
        p.get("initial_c") if c0 is None else c0, (B, p["kernel"].shape[1] // len(options.gates))
    )
    y = []
    with quiet_overflow():
        for t in range(rows.shape[1]):
            z = quantized_sum([rows[:, t], h], kernels, scale, p.get("bias", 0.0))
            nothing = np.zeros_like(h)  # h R is in z
            out, c, _ = cell_forward(cell, z, nothing, nothing, c, 0.0, options.zoneout_c)
            if projection is not None:
                (kernel,), of_projection = quantize_columns(projection)
                out = quantized_sum([out], [kernel], of_projection)
            if options.proj_clip is not None:
                out = np.clip(out, -options.proj_clip, options.proj_clip)
            kept = _F32(options.zoneout_h)
            h = kept * h + (_F32(1) - kept) * out if kept else out
            y.append(h)
    return np.stack(y, axis=1), (h, c)


def quantized_gru_forward(
    x: npt.ArrayLike,
    params: Params,
    h0: npt.ArrayLike | None = None,
    *,
    reset_after: bool = True,
    activation: str | Activation = "tanh",
    recurrent_activation: str | Activation = "sigmoid",
) -> tuple[Array, Array]:
    """Return y (B, T, H) and the last h; arguments as those of `gru_forward`.

    With `reset_after` the two biases of z and r are added first, and both products of the candidate
    are sums of their own.
    """
    p = {name: as_real(value, _F32) for name, value in params.items()}
    (W, R), scale = quantize_columns(p["kernel"], p["recurrent_kernel"])
    H = len(R)
    bias = np.zeros((2, 3 * H), _F32)
    if "bias" in p:
        bias[: 2 if reset_after else 1] = p["bias"]
    gates, own = slice(2 * H), slice(2 * H, None)
    sigma, phi = get_activation(recurrent_activation).value, get_activation(activation).value

    def step(x: Array, h: Array) -> Array:
        both = bias[0, gates] + bias[1, gates]
        z, r = np.split(
            sigma(quantized_sum([x, h], [W[:, gates], R[:, gates]], scale[gates], both)), 2, axis=-1
        )
        if reset_after:
            of_x = quantized_sum([x], [W[:, own]], scale[own], bias[0, own])
            g = phi(r * quantized_sum([h], [R[:, own]], scale[own], bias[1, own]) + of_x)
        else:
            g = phi(quantized_sum([x, r * h], [W[:, own], R[:, own]], scale[own], bias[0, own]))
        new: Array = z * (h - g) + g
        return new

    return _run(step, x, p, h0, H)


def quantized_simple_rnn_forward(
    x: npt.ArrayLike,
    params: Params,
    h0: npt.ArrayLike | None = None,
    *,
    activation: str | Activation = "tanh",
) -> tuple[Array, Array]:
    """Return y (B, T, H) and the last h; arguments as those of `simple_rnn_forward`."""
    p = {name: as_real(value, _F32) for name, value in params.items()}
    kernels, scale = quantize_columns(p["kernel"], p["recurrent_kernel"])
    phi = get_activation(activation).value

    def step(x: Array, h: Array) -> Array:
        return phi(quantized_sum([x, h], kernels, scale, p.get("bias", 0.0)))

    return _run(step, x, p, h0, len(p["recurrent_kernel"]))


def _first(state: npt.ArrayLike | None, shape: tuple[int, int]) -> Array:
    """Return the first state of all rows: zeros for None."""
    given = np.zeros(shape, _F32) if state is None else as_real(state, _F32)
    return np.broadcast_to(given, shape)


def _run(step: Any, x: npt.ArrayLike, p: dict[str, Array], h0: Any, H: int) -> tuple[Array, Array]:
    rows = as_real(x, _F32)
    h = _first(p.get("initial_h") if h0 is None else h0, (len(rows), H))
    y = []
    with quiet_overflow():
        for t in range(rows.shape[1]):
            h = step(rows[:, t], h)
            y.append(h)
    return np.stack(y, axis=1), h
