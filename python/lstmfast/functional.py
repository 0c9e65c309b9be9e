"""One LSTM layer as pure functions of arrays: nothing is kept between calls.

Weights are laid out as in torch: `w_ih` (4H, I), `w_hh` (4H, H), `b_ih` and `b_hh` (4H), gates in
order i, f, g, o (with coupled gates 3H, in order f, g, o), and for a projection to P values `w_hr`
(P, H) and `w_hh` (4H, P). `pack` prepares them once for many calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_flags, as_float, as_integers, wrong_shape
from lstmfast._checks import flag
from lstmfast._layouts import to_torch
from lstmfast._packed import WEIGHTS, Packed, pack
from lstmfast._recurrent import State, check_out, check_pair, run, run_backward
from lstmfast.utils import Seed, as_generator, draw_seed

__all__ = ["Gradients", "Packed", "lstm", "lstm_vjp", "pack"]


def lstm(
    x: ArrayLike,
    w_ih: ArrayLike | Packed,
    w_hh: ArrayLike = None,
    b_ih: ArrayLike = None,
    b_hh: ArrayLike = None,
    h0: ArrayLike = None,
    c0: ArrayLike = None,
    *,
    lengths: ArrayLike = None,
    resets: ArrayLike = None,
    batch_first: bool = True,
    out: Array | None = None,
    seed: Seed = None,
    **options: Any,
) -> Any:
    """Run one LSTM layer over sequences.

    Parameters
    ----------
    x : array_like
        (B, T, I), (T, B, I) without `batch_first`, or (T, I) for one sequence.
    w_ih, w_hh, b_ih, b_hh
        The weights, as in `pack`, or what `pack` returned as `w_ih` alone.
    h0, c0 : array_like, optional
        (B, H) each, or (H): the initial state; zeros by default. h0 has P values with `w_hr`.
    lengths : array_like of int, optional
        (B,): how many steps of each row count.
    resets : array_like of bool, optional
        (B, T), or (T, B) without `batch_first`: before which steps the state is set to 0.
    batch_first : bool
        The layout of x, y and resets.
    out : numpy.ndarray, optional
        Where to write y.
    seed : int or numpy.random.Generator, optional
        Seed of the random options; by default nothing is random, and zoneout takes its expectation.
    **options
        The other arguments of `pack`.

    Returns
    -------
    y : numpy.ndarray
        (B, T, H), (T, B, H) or (T, H), P for H with `w_hr`: h after every step.
    (h, c) : tuple of numpy.ndarray
        Shaped as h0 and c0: the state after the last step.
    cells : numpy.ndarray
        Only with `return_cell_states`: (B, T, H) in the layout of y, c after every step.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> w_ih, w_hh = np.ones((8, 3)), np.ones((8, 2))
    >>> y, (h, c) = lf.functional.lstm(np.zeros((1, 5, 3)), w_ih, w_hh)
    >>> y.dtype, float(abs(y).max())
    (dtype('float64'), 0.0)
    """
    try:
        packed = _packed(options, w_ih, w_hh, b_ih, b_hh)
        if out is not None:
            weights = {"w_ih": w_ih, "w_hh": w_hh, "b_ih": b_ih, "b_hh": b_hh, **options}
            check_out("lstm", out, x=x, h0=h0, c0=c0, **weights)
        x = as_float(x, packed._dtype, "lstm", "x")
        first = flag(batch_first, "batch_first", "lstm")
        state = _layer_state(h0, c0, packed, x, first)
        training = seed is not None
        core = packed._copy(draw_seed(as_generator(seed))) if training else packed._core
        args = x, state, lengths, resets, training, out
        # None unless all arrays have the core's dtype and layout
        result = core.forward(*args, first, True, False)
        if result is None:
            result = run(core, packed._dtype, first, *args)
        y, (h, c), *cells = result
    except (TypeError, ValueError) as error:
        raise _as_said_by("functional.lstm", error) from None
    return y, (h[0], c[0]), *cells


@dataclass(frozen=True)
class Gradients:
    """What the function returned by `lstm_vjp` returns: a gradient for each argument of `lstm`.

    Those of arguments that were not given are None.
    """

    x: Array
    w_ih: Array
    w_hh: Array
    b_ih: Array | None
    b_hh: Array | None
    h0: Array
    c0: Array
    w_hr: Array | None = None
    w_peephole: Array | None = None
    norm_z_weight: Array | None = None
    norm_z_bias: Array | None = None
    norm_c_weight: Array | None = None
    norm_c_bias: Array | None = None


def lstm_vjp(
    x: ArrayLike,
    w_ih: ArrayLike | Packed,
    w_hh: ArrayLike = None,
    b_ih: ArrayLike = None,
    b_hh: ArrayLike = None,
    h0: ArrayLike = None,
    c0: ArrayLike = None,
    *,
    lengths: ArrayLike = None,
    resets: ArrayLike = None,
    batch_first: bool = True,
    seed: Seed = None,
    **options: Any,
) -> tuple[Any, Callable[..., Gradients]]:
    """Run `lstm`, and return also the function that propagates gradients back.

    Parameters
    ----------
    x, w_ih, w_hh, b_ih, b_hh, h0, c0, lengths, resets, batch_first, seed, **options
        As for `lstm`.

    Returns
    -------
    (y, (h, c)) or (y, (h, c), cells)
        What `lstm` returns, the same bits.
    vjp : callable(dy, dstate=None, dcells=None) -> Gradients
        Takes gradients for y, for the pair of final h and c, and for cells; returns those for all
        arguments. It may be called any number of times; the first call costs least.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> x, w_ih, w_hh = np.ones((1, 5, 3)), np.ones((8, 3)), np.ones((8, 2))
    >>> (y, state), vjp = lf.functional.lstm_vjp(x, w_ih, w_hh)
    >>> gradients = vjp(np.ones_like(y))
    >>> gradients.x.shape, gradients.w_hh.shape, gradients.b_ih
    ((1, 5, 3), (8, 2), None)
    """
    try:
        packed = _packed(options, w_ih, w_hh, b_ih, b_hh)
        # copies: the caller may change the arrays before calling vjp
        x = np.array(as_float(x, packed._dtype, "lstm", "x"))
        batch_first = flag(batch_first, "batch_first", "lstm")
        state = _layer_state(h0, c0, packed, x, batch_first)
        state = None if state is None else (state[0].copy(), state[1].copy())
        lengths = None if lengths is None else as_integers(lengths, "lstm", "lengths").copy()
        resets = None if resets is None else as_flags(resets, "lstm", "resets").copy()
        core = packed._copy(0 if seed is None else draw_seed(as_generator(seed)))
        args = x, state, lengths, resets, True, None, seed is not None
        y, (h, c), *cells = run(core, packed._dtype, batch_first, *args)
    except (TypeError, ValueError) as error:
        raise _as_said_by("functional.lstm_vjp", error) from None
    fresh = True

    def vjp(dy: ArrayLike, dstate: Any = None, dcells: ArrayLike = None) -> Gradients:
        nonlocal fresh
        if not fresh:
            core.zero_grad()
            core.training_calls = 0  # the same masks again
            run(core, packed._dtype, batch_first, *args)
        fresh = False
        try:
            if dstate is not None:
                check_pair("functional.lstm_vjp", dstate, "dstate", ("dh", "dc"))
                dstate = _of_layer(dstate, ("dh", "dc"), packed, x, batch_first)
            dx, (dh0, dc0) = run_backward(core, packed._dtype, dy, dstate, dcells)
        except (TypeError, ValueError) as error:
            raise _as_said_by("functional.lstm_vjp", error) from None
        names = [name for _, name, _ in core.parameter_names()]
        of_torch = to_torch({name: core.grad(0, name) for name in names}, gradients=True)
        weights = {
            argument: of_torch[name] if name in packed._given else None
            for argument, name in WEIGHTS.items()
        }
        return Gradients(x=dx, h0=dh0[0], c0=dc0[0], **weights)  # type: ignore[arg-type]

    return (y.copy(), (h[0], c[0]), *cells), vjp


def _packed(options: dict[str, Any], w_ih: ArrayLike | Packed, *others: ArrayLike) -> Packed:
    if not isinstance(w_ih, Packed):
        if others[0] is None:
            raise ValueError("[functional.lstm] w_hh is missing")
        return pack(w_ih, *others, **options)
    if options or any(each is not None for each in others):
        raise ValueError("[functional.lstm] got packed weights and others; expected one of them")
    return w_ih


def _layer_state(
    h0: ArrayLike, c0: ArrayLike, packed: Packed, x: Array, batch_first: bool
) -> State | None:
    if h0 is None and c0 is None:
        return None
    if h0 is None or c0 is None:
        raise ValueError("[functional.lstm] got one of h0 and c0; expected both or none")
    return _of_layer((h0, c0), ("h0", "c0"), packed, x, batch_first)


def _of_layer(
    pair: Any, names: tuple[str, str], packed: Packed, x: Array, batch_first: bool
) -> tuple[Any, Any]:
    """Return a pair of states as the core takes them, (1, B, H) or (1, H); None stays None."""
    batch = (x.shape[0 if batch_first else 1],) if x.ndim == 3 else ()
    units = packed.output_size, packed.hidden_size
    found: list[Array | None] = []
    for value, name, size in zip(pair, names, units, strict=True):
        array = None if value is None else as_float(value, packed._dtype, "functional.lstm", name)
        if array is not None and x.ndim in (2, 3) and array.shape != (*batch, size):
            letter = "H" if size == packed.hidden_size else "P"
            expected = (*(f"B={rows}" for rows in batch), f"{letter}={size}")
            raise wrong_shape("functional.lstm", name, array.shape, expected)
        found.append(None if array is None else array[None])
    return found[0], found[1]


def _as_said_by(where: str, error: Exception) -> Exception:
    """Return the error of an inner operation under the name of the function itself."""
    return type(error)(re.sub(r"^\[[\w.]+\]", f"[{where}]", str(error)))
