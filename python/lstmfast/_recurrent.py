"""Calls of the recurrent core with a caller's arrays, converted to what the core takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_flags, as_float, as_integers
from lstmfast._checks import flag, wrong_kind

if TYPE_CHECKING:
    from lstmfast._core import Rnn

State: TypeAlias = "tuple[Array, Array]"
Result: TypeAlias = "tuple[Array, State] | tuple[Array, State, Array]"
Dtype: TypeAlias = "np.dtype[Any]"
Inputs: TypeAlias = "tuple[Array, Array | None, Array | None, Array | None, Array | None]"


@dataclass(frozen=True)
class Trace:
    """Gates and states of one layer in one direction: one array each for all steps.

    Attributes
    ----------
    i, f, g, o : numpy.ndarray
        (B, T, H) in the layout of x: the gates; 1 where one is switched off, and i is 1 - f where
        they are coupled.
    c : numpy.ndarray
        (B, T, H): the cell state after every step.
    h : numpy.ndarray
        (B, T, H), or (B, T, P) with `proj_size`: the hidden state after every step.
    """

    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array


def run(
    core: Rnn,
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
    """Run forward: x (B, T, I), (T, B, I) or (T, I) to y, (h, c) and, if wanted, cells.

    All are in the layout of x. The core's `call` returns the same, but takes only arrays that need
    no conversion.
    """
    where = "lstm.forward"
    training = flag(training, "training", where)
    inputs = checked_inputs(where, dtype, x, state, lengths, resets)
    if out is not None:
        h0, c0 = (None, None) if state is None else state
        check_out(where, out, x=x, h0=h0, c0=c0, lengths=lengths, resets=resets)
    y, h, c, cells = core.forward(*inputs, training, out, batch_first, draw)
    return (y, (h, c)) if cells is None else (y, (h, c), cells)


def run_backward(
    core: Rnn, dtype: Dtype, dy: ArrayLike, dstate: Any, dcells: ArrayLike = None
) -> tuple[Array, State]:
    """Run backward after `run` with ``training=True``: dx and (dh0, dc0), shaped as x and h."""
    where = "lstm.backward"
    dy = None if dy is None else as_float(dy, dtype, where, "dy")
    dcells = None if dcells is None else as_float(dcells, dtype, where, "dcells")
    dh, dc = _pair(where, dstate, dtype, "dstate", ("dh_n", "dc_n"), optional=True)
    return core.backward(dy, dh, dc, dcells)


def check_out(where: str, out: Any, **inputs: Any) -> None:
    """Refuse an `out` that is not a plain array, or that shares memory with an input.

    The core checks that too, but it sees copies where arrays had to be converted.
    """
    if not isinstance(out, np.ndarray) or isinstance(out, np.ma.MaskedArray):
        raise wrong_kind(where, "out", out, "a NumPy array")
    for name, value in inputs.items():
        if isinstance(value, np.ndarray) and np.may_share_memory(out, value):
            raise ValueError(
                f"[{where}] out shares memory with {name}; expected an array of its own"
            )


def checked_inputs(
    where: str, dtype: Dtype, x: ArrayLike, state: Any, lengths: ArrayLike, resets: ArrayLike
) -> Inputs:
    """Return x, h0, c0, lengths and resets as the core takes them."""
    return (
        as_float(x, dtype, where, "x"),
        *_pair(where, state, dtype, "state", ("h0", "c0")),
        None if lengths is None else as_integers(lengths, where, "lengths"),
        None if resets is None else as_flags(resets, where, "resets"),
    )


def _pair(
    where: str, pair: Any, dtype: Dtype, name: str, names: tuple[str, str], optional: bool = False
) -> tuple[Array | None, Array | None]:
    if pair is None:
        return None, None
    check_pair(where, pair, name, names)
    first, second = (
        None if optional and value is None else as_float(value, dtype, where, each)
        for value, each in zip(pair, names, strict=True)
    )
    return first, second


def check_pair(where: str, pair: Any, name: str, names: tuple[str, str]) -> None:
    """Refuse values that are not tuples or lists of two."""
    expected = f"a pair ({names[0]}, {names[1]})"
    if not isinstance(pair, tuple | list):
        raise wrong_kind(where, name, pair, expected)
    if len(pair) != 2:
        raise ValueError(
            f"[{where}] {name} is a {type(pair).__name__} of {len(pair)}; expected {expected}"
        )
