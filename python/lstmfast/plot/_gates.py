"""Gates and states of an LSTM over a sequence, as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, wrong_shape
from lstmfast._checks import string

from ._looks import BLUE, FAINT, INK, RED, heat, new_figure, scale, style, tokens

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLES = {
    "i": "input gate i",
    "f": "forget gate f",
    "g": "candidate g",
    "o": "output gate o",
    "c": "cell state c",
    "h": "hidden state h",
}
_LINES = 4  # features up to which they are drawn as lines
_INSIDE = 98.0  # per cent of the values within the scale of colours
_SYMBOLS = 100  # steps up to which each has room for a symbol


def gates(
    source: Any,
    x: ArrayLike = None,
    *,
    layer: str | None = None,
    symbols: Sequence[Any] | None = None,
    show: str = "ifgoc",
    title: str | None = None,
) -> Figure:
    """Draw what an LSTM does at each step of a sequence: its gates and its cell state.

    Each panel has a row a unit and a column a step. Units whose cell states go alike stand next to
    each other, in the same order in all panels: by the angle of their first two principal
    components. Steps that a mask leaves out are grey.

    Parameters
    ----------
    source : Model, lstmfast.LSTM or Trace
        A model, whose first `LSTM` is drawn, behind layers in a row and without dropout; an
        `lstmfast.LSTM`; or what its `trace` returns for one sequence.
    x : array_like
        One sequence, as the model takes it in a batch: (T, features), (T,) ids, ...; of a `Trace`
        what to draw above it, or None.
    layer : str, optional
        Another layer: its name, of an `lstmfast.LSTM` as in `trace`: ``"l1"``.
    symbols : list of str, optional
        (T,): what the steps are, to write them there in place of x.
    show : str
        What to draw: letters of i, f, g, o, c and h.
    title : str, optional
        A title.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For a model without an LSTM, and a sequence that does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> model = lf.variants.vanilla(1, units=8, seed=0)
    >>> figure = lf.plot.gates(model, np.sin(np.arange(40.0))[:, None], show="fc")
    >>> [axes.get_title(loc="left") for axes in figure.axes[:3]]
    ['input x', 'forget gate f', 'cell state c']
    """
    where = "plot.gates"
    letters = dict.fromkeys(string(show, "show", where))
    if not letters or letters.keys() - _TITLES.keys():
        raise ValueError(f"[{where}] show is {show!r}; expected letters of 'ifgoch'")
    from ._inside import trace_of

    trace, given, name = trace_of(source, x, layer, where)
    maps = {letter: _of_one(getattr(trace, letter), where) for letter in letters}
    cells = _of_one(trace.c, where)
    steps, units = cells.shape
    if given is not None:
        given = given.reshape(steps, -1) if given.size and not given.size % steps else given
        if len(given) != steps:
            raise wrong_shape(where, "x", given.shape, f"({steps}, features), as the trace has")
    if symbols is not None:
        symbols = tokens(symbols, "symbols", steps, where)
    elif given is not None and given.shape[1] == 1 and given.dtype.kind in "iu":
        symbols = tokens(given[:, 0], "x", steps, where)
    draws_input = given is not None and symbols is None
    heights = [1.0] * draws_input + [1.05] * len(maps)
    wide = 11.0 if symbols and steps > 50 else 9.0
    figure = new_figure(wide, sum(heights) + 0.3 * len(heights) + 0.6)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    all_axes: list[Any] = [figure.add_subplot(grid[n]) for n in range(len(heights))]
    if draws_input and given is not None:
        _draw_input(all_axes[0], np.where(np.isnan(cells[:, :1]), np.nan, given))
    order = _order(cells)
    for axes, (letter, values) in zip(all_axes[draws_input:], maps.items(), strict=True):
        low, high = _limits(values, is_gate=letter in "ifo")
        rows = values.T[order] if values.shape[1] == units else values.T
        image = heat(axes, rows, low, high, _TITLES[letter], first=1)
        ends = "neither" if low == 0.0 else "both"
        scale(axes, image, ticks=[low, (low + high) / 2.0, high], format="{x:.2g}", extend=ends)
        axes.set_yticks([])
        axes.set_ylabel(f"{len(rows)} units", color=INK, fontsize=9)
    for axes in all_axes:
        axes.set_xlim(0.5, steps + 0.5)
        is_last = axes is all_axes[-1]
        axes.tick_params(axis="x", bottom=is_last, labelbottom=is_last)
    all_axes[-1].set_xlabel("step", color=INK)
    all_axes[-1].xaxis.get_major_locator().set_params(integer=True)
    if symbols is not None:
        _write(all_axes[0], symbols)
    text = f"Inside {name}: {units} units, similar ones side by side"
    figure.suptitle(text if title is None else title, x=0.01, ha="left", color=INK, fontsize=12)
    return figure


def _of_one(values: Array, where: str) -> Array:
    """Return the values of one sequence (T, H)."""
    one = values.squeeze(tuple(n for n in (0, 1) if values.ndim == 3 and values.shape[n] == 1)[:1])
    if one.ndim != 2 or not one.size:
        raise wrong_shape(where, "a gate", values.shape, "(T, H), of one sequence")
    return one


def _order(cells: Array) -> Array:
    """Return an order of units in which those go alike that are neighbours."""
    known = cells[~np.isnan(cells).any(axis=1)]
    spread = known.std(axis=0)
    courses = (known - known.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    parts = np.linalg.svd(courses, full_matrices=False)[2][:2]
    angles = np.arctan2(parts[-1], parts[0])
    order = np.argsort(angles)
    gaps = np.diff(angles[order], append=angles[order[0]] + 2.0 * np.pi)
    return np.roll(order, -1 - int(gaps.argmax()))


def _limits(values: Array, is_gate: bool) -> tuple[float, float]:
    """Return the ends of a scale: 0 to 1 of a gate, else as far below 0 as above."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if is_gate and low >= 0.0:
        return 0.0, max(1.0, high)
    most = float(np.nanpercentile(abs(values), _INSIDE)) or max(-low, high) or 1.0
    return -most, most


def _draw_input(axes: Any, x: Array) -> None:
    features = x.shape[1]
    is_flag = features > 1 and np.isin(x, (0, 1)).all()
    if features > _LINES or is_flag:
        low, high = _limits(x, is_gate=bool((x >= 0.0).all()))
        scale(axes, heat(axes, x.T, low, high, "input x", first=1))
        axes.set_yticks([])
        axes.set_ylabel(f"{features} features", color=INK, fontsize=9)
        return
    style(axes, "input x", "y", ticks=8, fontsize=10)
    at, mark = range(1, len(x) + 1), "o-" if len(x) <= 40 else "-"
    for n, colour in enumerate([INK, RED, BLUE, FAINT][:features]):
        name = f"x[:, {n}]"
        axes.plot(at, x[:, n], mark, color=colour, linewidth=1.2, markersize=3, label=name)
    if features > 1:
        place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, ncols=features, **place)


def _write(axes: Any, symbols: list[str]) -> None:
    """Write symbols above the columns."""
    every = -(-len(symbols) // _SYMBOLS)
    axes.set_xticks(range(1, len(symbols) + 1, every), symbols[::every])
    size = 10 if len(symbols) <= 50 else 8
    axes.tick_params(top=False, bottom=False, labeltop=True, labelbottom=False, labelsize=size)
    if max(map(len, symbols)) > 2:
        axes.tick_params(axis="x", labelrotation=90)
