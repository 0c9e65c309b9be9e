"""Calls of the recurrent core with a caller's arrays: both layouts, batched or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_flags, as_float, as_integers, shape_text
from lstmfast._checks import flag

if TYPE_CHECKING:
    from lstmfast import _core

State: TypeAlias = "tuple[Array, Array]"
Result: TypeAlias = "tuple[Array, State, Array | None]"
Dtype: TypeAlias = "np.dtype[Any]"


def run(
    core: _core.Rnn,
    dtype: Dtype,
    batch_first: bool,
    x: ArrayLike,
    state: Any,
    lengths: ArrayLike,
    resets: ArrayLike,
    training: Any,
    out: Array | None,
    draw: bool = True,
) -> Result:
    """Run forward: x (B, T, I), (T, B, I) or (T, I) to y, (h, c) and cells, in the layout of x."""
    x = as_float(x, dtype, "lstm", "x")
    if training is not True and training is not False:
        training = flag(training, "training", "lstm")
    if x.ndim == 3:
        h0, c0 = (None, None) if state is None else _pair(state, dtype, "state", ("h0", "c0"))
        if lengths is not None:
            lengths = as_integers(lengths, "lstm", "lengths")
        if resets is not None:
            resets = _batch_first_resets(resets, x, batch_first)
        if out is not None:
            _check_out(out, dtype)
        y, h, c, cells = core.forward(x, h0, c0, lengths, resets, training, out, batch_first, draw)
        return y, (h, c), cells
    if x.ndim != 2:
        layout = "(B, T, I)" if batch_first else "(T, B, I)"
        raise ValueError(
            f"[lstm] x has shape {shape_text(x.shape)}; expected {layout}, or "
            "(T, I) for one sequence"
        )
    state, lengths, resets = _of_one(dtype, x, state, lengths, resets)
    if out is not None:
        _check_out(out, dtype)
        out = out[None]
    y, (h, c), cells = run(core, dtype, True, x[None], state, lengths, resets, training, out, draw)
    return y[0], (h[:, 0], c[:, 0]), None if cells is None else cells[0]


def run_trace(
    core: _core.Rnn,
    dtype: Dtype,
    batch_first: bool,
    x: ArrayLike,
    state: Any,
    lengths: ArrayLike,
    resets: ArrayLike,
) -> list[tuple[Array, ...]]:
    """Return i, f, g, o, c and h of every step, in the layout of x, by layer and direction."""
    x = as_float(x, dtype, "lstm", "x")
    if x.ndim == 2:
        state, lengths, resets = _of_one(dtype, x, state, lengths, resets)
        whole = run_trace(core, dtype, True, x[None], state, lengths, resets)
        return [tuple(array[0] for array in arrays) for arrays in whole]
    h0, c0 = (None, None) if state is None else _pair(state, dtype, "state", ("h0", "c0"))
    if lengths is not None:
        lengths = as_integers(lengths, "lstm", "lengths")
    resets = None if resets is None else _batch_first_resets(resets, x, batch_first)
    return list(core.trace(x, h0, c0, lengths, resets, batch_first))


def _batch_first_resets(resets: ArrayLike, x: Array, batch_first: bool) -> Array:
    flags = as_flags(resets, "lstm", "resets")
    if batch_first:
        return flags
    if flags.shape != x.shape[:2]:
        raise ValueError(
            f"[lstm] resets has shape {shape_text(flags.shape)}; expected "
            f"(T={x.shape[0]}, B={x.shape[1]})"
        )
    return np.ascontiguousarray(flags.T)


def _of_one(
    dtype: Dtype, x: Array, state: Any, lengths: ArrayLike, resets: ArrayLike
) -> tuple[Any, Any, Any]:
    """Return the arguments for one sequence as those for a batch of one, batch first."""
    if state is not None:
        h0, c0 = _pair(state, dtype, "state", ("h0", "c0"))
        state = (batched_state(h0, "h0"), batched_state(c0, "c0"))
    if lengths is not None:
        lengths = as_integers(lengths, "lstm", "lengths")
        if lengths.size != 1:
            raise ValueError(
                f"[lstm] lengths has shape {shape_text(lengths.shape)}; expected one length for "
                "one sequence"
            )
        lengths = lengths.reshape(1)
    if resets is not None:
        resets = as_flags(resets, "lstm", "resets")
        if resets.shape != x.shape[:1]:
            raise ValueError(
                f"[lstm] resets has shape {shape_text(resets.shape)}; expected (T={len(x)},) for "
                "one sequence"
            )
        resets = resets[None]
    return state, lengths, resets


def run_backward(
    core: _core.Rnn,
    dtype: Dtype,
    batched: bool,
    dy: ArrayLike,
    dstate: Any,
    dcells: ArrayLike = None,
) -> tuple[Array, State]:
    """Run backward after `run` with ``training=True``: dx and (dh0, dc0), shaped as x and h."""
    dy = None if dy is None else as_float(dy, dtype, "lstm.backward", "dy")
    dcells = None if dcells is None else as_float(dcells, dtype, "lstm.backward", "dcells")
    dh, dc = None, None
    if dstate is not None:
        dh, dc = _pair(dstate, dtype, "dstate", ("dh_n", "dc_n"), optional=True)
    if batched:
        return core.backward(dy, dh, dc, dcells)
    # one sequence was passed to the core as a batch of one, batch first
    dy = None if dy is None else dy[None]
    dh = None if dh is None else batched_state(dh, "dh_n")
    dc = None if dc is None else batched_state(dc, "dc_n")
    dcells = None if dcells is None else dcells[None]
    dx, (dh0, dc0) = core.backward(dy, dh, dc, dcells)
    return dx[0], (dh0[:, 0], dc0[:, 0])


def _pair(
    pair: Any, dtype: Dtype, name: str, names: tuple[str, str], optional: bool = False
) -> tuple[Any, Any]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"[lstm] {name} is not a pair; expected ({names[0]}, {names[1]})")
    first, second = (
        None if optional and value is None else as_float(value, dtype, "lstm", each)
        for value, each in zip(pair, names, strict=True)
    )
    return first, second


def batched_state(value: Array, name: str) -> Array:
    """Return (L, 1, H) for the state (L, H) of one sequence."""
    if value.ndim != 2:
        raise ValueError(
            f"[lstm] {name} has shape {shape_text(value.shape)}; expected (L, H) for one sequence"
        )
    return value[:, None]


def _check_out(out: Any, dtype: Dtype) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"[lstm] out is of type {type(out).__name__}; expected a NumPy array")
    if out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(
            f"[lstm] out is an array of {out.dtype}; expected a writable, C-contiguous array of "
            f"{dtype}"
        )
