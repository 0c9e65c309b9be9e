"""Calls of the recurrent core with a caller's arrays, converted to what the core takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_flags, as_float, as_integers
from lstmfast._checks import flag, wrong_kind
from lstmfast._core import Rnn
from lstmfast._state_dict import StateDict

State: TypeAlias = "tuple[Array, Array]"
Result: TypeAlias = "tuple[Array, State] | tuple[Array, State, Array]"
Dtype: TypeAlias = "np.dtype[Any]"
Inputs: TypeAlias = "tuple[Array, State | None, Array | None, Array | None]"


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

    All are in the layout of x. The core's `forward` returns the same, but takes only arrays that
    need no conversion.
    """
    where = "lstm.forward"
    training = flag(training, "training", where)
    inputs = checked_inputs(where, dtype, x, state, lengths, resets)
    if out is not None:
        h0, c0 = (None, None) if state is None else state
        check_out(where, out, x=x, h0=h0, c0=c0, lengths=lengths, resets=resets)
    result: Result = core.forward(*inputs, training, out, batch_first, draw, True)
    return result


def run_backward(
    core: Rnn, dtype: Dtype, dy: ArrayLike, dstate: Any, dcells: ArrayLike = None
) -> tuple[Array, State]:
    """Run backward after `run` with ``training=True``: dx and (dh0, dc0), shaped as x and h."""
    where = "lstm.backward"
    dy = None if dy is None else as_float(dy, dtype, where, "dy")
    dcells = None if dcells is None else as_float(dcells, dtype, where, "dcells")
    dstate = _pair(where, dstate, dtype, "dstate", ("dh_n", "dc_n"), optional=True)
    return core.backward(dy, dstate, dcells, True)


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
    """Return x, state, lengths and resets as the core takes them."""
    return (
        as_float(x, dtype, where, "x"),
        _pair(where, state, dtype, "state", ("h0", "c0")),
        None if lengths is None else as_integers(lengths, where, "lengths"),
        None if resets is None else as_flags(resets, where, "resets"),
    )


def _pair(
    where: str, pair: Any, dtype: Dtype, name: str, names: tuple[str, str], optional: bool = False
) -> Any:
    if pair is None:
        return None
    check_pair(where, pair, name, names)
    return tuple(
        None if optional and value is None else as_float(value, dtype, where, each)
        for value, each in zip(pair, names, strict=True)
    )


def check_pair(where: str, pair: Any, name: str, names: tuple[str, str]) -> None:
    """Refuse values that are not tuples or lists of two."""
    expected = f"a pair ({names[0]}, {names[1]})"
    if not isinstance(pair, tuple | list):
        raise wrong_kind(where, name, pair, expected)
    if len(pair) != 2:
        raise ValueError(
            f"[{where}] {name} is a {type(pair).__name__} of {len(pair)}; expected {expected}"
        )


class RecurrentLayers(StateDict):
    """A row of recurrent layers; a subclass makes the core."""

    batch_first: bool

    def __call__(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
        training: bool = False,
        out: Array | None = None,
        hx: None = None,
    ) -> Any:
        """Run over whole sequences.

        Parameters
        ----------
        x : array_like
            (B, T, I) or, without `batch_first`, (T, B, I); (T, I) is one sequence.
        state : (h0, c0), optional
            (D·L, B, H) each, or (D·L, H) for one sequence; zeros by default. Layer 0, layer 0
            reverse, layer 1, ...; with `proj_size` h0 has P values in place of H.
        lengths : array_like of int, optional
            (B,): how many steps of each row count. Outputs after them are 0, the final state is
            that of the last one, and the steps after them take no time.
        resets : array_like of bool, optional
            (B, T), or (T, B) without `batch_first`: before which steps the state is set to 0; in a
            reverse direction, after which.
        training : bool
            Apply the random options and keep what `backward` needs. x and the result are referred
            to, not copied: leave them unchanged until then. lengths and resets are copied.
        out : numpy.ndarray, optional
            Where to write y: an array of y's shape and dtype, in C order, aligned, that shares no
            memory with the arguments.
        hx : None
            torch's name of `state`; refused, so that a state is not ignored.

        Returns
        -------
        y : numpy.ndarray
            (B, T, D·H), (T, B, D·H) or (T, D·H), with `proj_size` P for H: the last layer's h after
            every step.
        (h, c) : tuple of numpy.ndarray
            Shaped as `state`: the state after the last step; of a reverse direction, the first.
        cells : numpy.ndarray
            Only with `return_cell_states`: the last layer's c after every step, D·H values, in the
            layout of y; 0 where y is padded.

        Raises
        ------
        TypeError, ValueError
            For arrays of the wrong kind or shape.
        KeyboardInterrupt
            At Ctrl-C, also in the middle of a long call; `out` may then hold a part of y.
        """
        if hx is not None:
            raise TypeError("[lstm.forward] hx is given; expected state, as it is called here")
        # without an unpacked tuple, which would cost a tenth of a small call
        core, batch_first = self._core, self.batch_first
        result = core.forward(
            x, state, lengths, resets, training, out, batch_first, True, False
        )  # fmt: skip
        if result is not None:
            return result
        return run(core, self._dtype, batch_first, x, state, lengths, resets, training, out)

    def backward(
        self, dy: ArrayLike, dstate: Any = None, dcells: ArrayLike = None
    ) -> tuple[Array, State]:
        """Propagate gradients back through the latest call with ``training=True``.

        Gradients of the parameters are added to `grads`. Each such call allows one `backward`.

        Parameters
        ----------
        dy : array_like or None
            Gradient for y; None is 0.
        dstate : (dh_n, dc_n), optional
            Gradients for the final h and c; either may be None.
        dcells : array_like, optional
            Gradient for the cells of a call with `return_cell_states`.

        Returns
        -------
        dx : numpy.ndarray
            Gradient for x.
        (dh0, dc0) : tuple of numpy.ndarray
            Gradients for the initial state.

        Raises
        ------
        KeyboardInterrupt
            At Ctrl-C; the gradients are then those before the call, and it takes another call
            with ``training=True`` to try again.
        """
        result = self._core.backward(dy, dstate, dcells, False)
        if result is not None:
            return result
        return run_backward(self._core, self._dtype, dy, dstate, dcells)

    def trace(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
    ) -> dict[str, Trace]:
        """Return all gates and states of every step, as a call without training computes them.

        Parameters
        ----------
        x, state, lengths, resets
            As for a call.

        Returns
        -------
        dict of str to Trace
            Under ``"l0"``, ``"l0_reverse"``, ``"l1"``, ...: a layer in one direction. Arrays are in
            the layout of x, and 0 where it is padded.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> inside = lf.LSTM(2, 3, seed=0).trace(np.ones((1, 4, 2)))["l0"]
        >>> inside.f.shape, bool((inside.c[:, 0] == inside.i[:, 0] * inside.g[:, 0]).all())
        ((1, 4, 3), True)
        """
        inputs = checked_inputs("lstm.trace", self._dtype, x, state, lengths, resets)
        traces = self._core.trace(*inputs, self.batch_first)
        return {end: Trace(*each) for end, each in zip(self._core_shapes, traces, strict=True)}

    def release_memory(self) -> None:
        """Free the memory that calls keep for later ones.

        What the latest call with ``training=True`` kept for `backward` is freed too. The next call
        allocates what it needs. Without this, memory is freed once sixteen calls in a row have
        needed less than a quarter of it.

        Raises
        ------
        RuntimeError
            While another thread trains.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> rnn = lf.LSTM(3, 4)
        >>> y, state = rnn(np.ones((8, 100, 3), np.float32), training=True)
        >>> dx, dstate = rnn.backward(y)
        >>> rnn.release_memory()
        """
        self._core.release_memory()
