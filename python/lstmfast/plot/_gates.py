"""Gates and states of an LSTM over a sequence, as heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast import rnn
from lstmfast._arrays import Array, ArrayLike, as_array, shape_text, wrong_shape
from lstmfast._checks import count, string, wrong_kind
from lstmfast._layouts import to_torch
from lstmfast._options import defaults
from lstmfast._recurrent import Trace
from lstmfast.layers import LSTM, Bidirectional
from lstmfast.layers._input import InputLayer
from lstmfast.models import Model

from .looks import BLUE, FAINT, INK, RED, Figure, add_scale, heat, panels, style, tokens

_TITLES = {
    "i": "input gate i",
    "f": "forget gate f",
    "g": "candidate g",
    "o": "output gate o",
    "c": "cell state c",
    "h": "hidden state h",
}
_COLOURS = [INK, RED, BLUE, FAINT]  # of features that are drawn as lines
_INSIDE = 98.0  # per cent of the values within the scale of colours
_SYMBOLS = 100  # steps up to which each has room for a symbol


def gates(
    source: Any, x: ArrayLike = None, *, layer: Any = None, symbols: Any = None, names: Any = None,
    show: str = "ifgoc", most: int = 32,
) -> Figure:  # fmt: skip
    """Draw what an LSTM does at each step of a sequence: its gates and its cell state.

    Each panel has a row a unit and a column a step. Units whose cell states go alike stand next to
    each other, in the same order in all panels: by the angle of their first two principal
    components. Steps that a mask leaves out are grey.

    Parameters
    ----------
    source : Model, lstmfast.LSTM or Trace
        A model, of which the first `LSTM` is drawn, that of a `Bidirectional` too, as it is in
        `predict`; an `lstmfast.LSTM`; or what its `trace` returns for one sequence.
    x : array_like
        One sequence, as the model takes it in a batch: (T, features), (T,) ids, ...; of a `Trace`
        what to draw above it, or None.
    layer : str, optional
        Another layer: its name, of an `lstmfast.LSTM` as in `trace`: ``"l1"``.
    symbols : list of str, or str, optional
        (T,): what the steps are, to write them there in place of x.
    names : list of str, optional
        What the features of x are.
    show : str
        What to draw: letters of i, f, g, o, c and h.
    most : int
        Units at most; of more, those whose cell states change most.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For a model without an LSTM or with several inputs, and a sequence that does not fit.

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
    given: Any = None if x is None and isinstance(source, Trace) else as_array(x, where, "x")
    if isinstance(source, Model):
        trace, given, found = trace_of_model(source, given, layer, where)
        name = f"Layer {found}"
    elif isinstance(source, rnn.LSTM):
        traces, key = source.trace(given), layer or "l0"
        if key not in traces:
            raise ValueError(f"[{where}] layer is {layer!r}; expected one of {[*traces]}")
        trace, name = traces[key], f"Layer {key}"
    elif isinstance(source, Trace):
        trace, name = source, "An LSTM"
    else:
        raise wrong_kind(where, "source", source, "a model, an LSTM or what its trace returns")
    maps = {letter: _of_one(getattr(trace, letter), where) for letter in letters}
    cells = _of_one(trace.c, where)
    steps, units = cells.shape
    if given is not None:
        given = given.reshape(steps, -1) if given.size and not given.size % steps else given
        if len(given) != steps:
            raise wrong_shape(where, "x", given.shape, f"({steps}, features), as the trace has")
        if symbols is None and given.shape[1] == 1 and given.dtype.kind in "iu":
            symbols = [*given[:, 0]]
    draws_x = given is not None and symbols is None
    width = 11.0 if symbols is not None and steps > 50 else 9.0
    figure, all_axes = panels(len(maps) + draws_x, 1, width, 1.45, None, where)
    if draws_x:
        features = given.shape[1]
        called = None if names is None else tokens(names, "names", features, where)
        _draw_x(all_axes[0], np.where(np.isnan(cells[:, :1]), np.nan, given), called)
    order = _order(cells, count(most, "most", where))
    for axes, (letter, values) in zip(all_axes[draws_x:], maps.items(), strict=True):
        rows = values.T[order] if values.shape[1] == units else values.T
        _draw_rows(axes, rows, letter in "ifo", _TITLES[letter], "units")
    for axes in all_axes:
        axes.set_xlim(0.5, steps + 0.5)
        is_last = axes is all_axes[-1]
        axes.tick_params(axis="x", bottom=is_last, labelbottom=is_last)
    all_axes[-1].set_xlabel("step", color=INK)
    all_axes[-1].xaxis.get_major_locator().set_params(integer=True)
    if symbols is not None:
        _write(all_axes[0], tokens(symbols, "symbols", steps, where))
    many = f"{units} units" if units > 1 else "one unit"
    many += f", of which the {len(order)} that change most" * (len(order) < units)
    many += ", similar ones side by side" * (len(order) > 1)
    figure.suptitle(f"{name}: {many}", x=0.01, ha="left", color=INK, fontsize=12)
    return figure


def _of_one(values: Array, where: str) -> Array:
    """Return the values of one sequence (T, H)."""
    one = values.squeeze(tuple(n for n in (0, 1) if values.ndim == 3 and values.shape[n] == 1)[:1])
    if one.ndim != 2 or not one.size:
        raise wrong_shape(where, "a gate", values.shape, "(T, H), of one sequence")
    return one


def _order(cells: Array, most: int) -> Array:
    """Return an order, in which neighbours go alike, of the units that change most."""
    known = cells[~np.isnan(cells).any(axis=1)]
    chosen = np.sort(np.argsort(-known.std(axis=0), kind="stable")[:most])
    known = known[:, chosen]
    spread = known.std(axis=0)
    courses = (known - known.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    parts = np.linalg.svd(courses, full_matrices=False)[2][:2]
    angles = np.arctan2(parts[-1], parts[0])
    order = np.argsort(angles)
    gaps = np.diff(angles[order], append=angles[order[0]] + 2.0 * np.pi)
    return np.roll(chosen[order], -1 - int(gaps.argmax()))


def _draw_rows(axes: Any, rows: Array, is_gate: bool, title: str, what: str) -> None:
    """Draw a heat map, of a gate from 0 to 1, else as far below 0 as above."""
    low, high = float(np.nanmin(rows)), max(1.0, float(np.nanmax(rows)))
    if is_gate and low >= 0.0:
        ends, beyond = (0.0, high), "neither"
    else:
        most = float(np.nanpercentile(abs(rows), _INSIDE)) or high
        ends, beyond = (-most, most), "both"
    image = heat(axes, rows, ends, title, first=1)
    add_scale(axes, image, ticks=[ends[0], sum(ends) / 2, ends[1]], format="{x:.2g}", extend=beyond)
    axes.set_yticks([])
    axes.set_ylabel(f"{len(rows)} {what if len(rows) > 1 else what[:-1]}", color=INK, fontsize=9)


def _draw_x(axes: Any, x: Array, names: list[str] | None) -> None:
    features = x.shape[1]
    if features > len(_COLOURS):
        _draw_rows(axes, x.T, True, "input x", "features")
        if names:
            every = -(-features // 12)  # as many as there is room for
            axes.set_yticks(range(0, features, every), names[::every], fontsize=6)
        return
    style(axes, "input x", "y", ticks=8, fontsize=10)
    for n, colour in enumerate(_COLOURS[:features]):
        look = {"color": colour, "linewidth": 1.2, "markersize": 3.0 if len(x) <= 40 else 0.0}
        axes.plot(
            range(1, len(x) + 1), x[:, n], "o-", label=names[n] if names else f"x[:, {n}]", **look
        )
    if features > 1 or names:
        look = {"frameon": False, "fontsize": 8, "labelcolor": INK, "ncols": features}
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, **look)


def _write(axes: Any, symbols: list[str]) -> None:
    """Write symbols above the columns, upright where they are short."""
    every = -(-len(symbols) // _SYMBOLS)
    axes.set_xticks(range(1, len(symbols) + 1, every), symbols[::every])
    slant = 90 if max(map(len, symbols)) > 2 else 0
    axes.tick_params(axis="x", bottom=False, labeltop=True, labelrotation=slant, labelsize=8)
    axes.tick_params(axis="x", labelbottom=False)


def trace_of_model(model: Model, x: Array, name: Any, where: str) -> tuple[Trace, Array, str]:
    """Return gates and states for one sequence (T, ...), the sequence, and the layer's name.

    Steps that a mask leaves out are NaN.
    """
    if len(model.inputs) > 1 or (model.stateful and name is not None):
        text = "several inputs or carries states; expected neither"
        raise ValueError(f"[{where}] model {model.name!r} has {text}")
    sample = model.inputs[0].sample
    x = x[0] if x.ndim == len(sample) + 1 and len(x) == 1 else x
    if x.ndim != len(sample) or not all(
        b in (None, a) for a, b in zip(x.shape, sample, strict=True)
    ):
        raise wrong_shape(where, "x", x.shape, f"{shape_text(sample)}, one sequence")
    value: Any = x[np.newaxis]
    mask: Any = None
    for each in model.layers:
        halves = each.layers_inside().values() if isinstance(each, Bidirectional) else [each]
        found = [half for half in halves if isinstance(half, LSTM) and name in (None, half.name)]
        if found:
            kept = np.ones(value.shape[1], bool) if mask is None else np.asarray(mask)[0]
            shown = x if len(x) == len(kept) else value[0]
            return _traced(found[0], value[0], kept, where), shown, str(found[0].name)
        if not isinstance(each, InputLayer):
            before, value = value, each(value) if mask is None else each(value, mask=mask)
            mask = each.compute_mask(before, mask)
    called = "" if name is None else f" called {name!r}"
    raise ValueError(f"[{where}] model {model.name!r} has no LSTM{called}; expected one")


def _traced(layer: LSTM, x: Array, kept: Array, where: str) -> Trace:
    """Return gates and states of a layer that reads the kept steps of x (T, I)."""
    if not kept.any():
        raise ValueError(f"[{where}] a mask leaves out all steps; expected one at least")
    options = layer.options()
    shared = defaults("rnn", "lstm").keys() & options.keys() - {"dropout"}
    given = {name: options[name] for name in shared} | {"bias": layer.use_bias}
    twin = rnn.LSTM(x.shape[1], layer.units, dtype=layer._built_core().dtype, **given)
    names = [name for name, _ in layer.weight_parts()]
    weights = dict(zip(names, layer.get_weights(), strict=True))
    twin.load_state_dict({f"{name}_l0": value for name, value in to_torch(weights).items()})
    state = [weights[name][None] for name in ("initial_h", "initial_c") if name in weights]
    turn = slice(None, None, -1 if layer.go_backwards else 1)
    traced = twin.trace(x[kept][turn], state or None)["l0"]
    found = {}
    for name, values in vars(traced).items():
        found[name] = np.full((len(x), values.shape[1]), np.nan)
        found[name][kept] = values[turn]
    return Trace(**found)
