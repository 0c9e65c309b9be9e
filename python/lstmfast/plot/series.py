"""Lines over time: learning curves, and forecasts with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, wrong_shape
from lstmfast._checks import wrong_kind

from .looks import INK, RED, Figure, add_legend, panels, style, tokens

# opaque, so that the legend shows the same colours as the picture
_BANDS = {0.95: "#f7d3d8", 0.8: "#e699a4"}
_BAND = "#efbcc3"
_LONG = 45  # letters of a title beside which a legend has no room
_FALL = 10.0  # how many times lower a curve must end for an axis of powers
_MANY = 1e4  # times between the ends of an axis that has its powers of ten alone


def learning_curves(history: Any, *, ax: Any = None) -> Figure:
    """Draw loss and metrics over the epochs, those of the validation data in red.

    A dot marks the lowest validation loss. The axis of a curve that falls to a tenth is
    logarithmic.

    Parameters
    ----------
    history : History or dict of str to list of float
        What `fit` returns, or its ``history``, or a part of it: ``loss``, ``val_loss``, ...
    ax : matplotlib.axes.Axes, optional
        Where to draw the loss alone.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a name. Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For another kind of history, and for one without epochs.

    Examples
    --------
    >>> import lstmfast as lf
    >>> figure = lf.plot.learning_curves({"loss": [3.0, 0.9, 0.2], "val_loss": [2.0, 1.1, 0.8]})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['training', 'validation, lowest 0.8 in epoch 3']
    """
    where = "plot.learning_curves"
    given = getattr(history, "history", history)
    if not isinstance(given, Mapping):
        raise wrong_kind(where, "history", history, "a History, or a dictionary of lists")
    curves = {str(name): as_array(values, where, str(name)) for name, values in given.items()}
    for name, values in curves.items():
        if not values.size or not values.ndim:
            raise wrong_shape(where, name, values.shape, "(epochs,)")
    names = list(dict.fromkeys(name.removeprefix("val_") for name in curves))
    names = sorted(names, key=lambda name: name != "loss")[: None if ax is None else 1]
    if not names:
        raise ValueError(f"[{where}] history is empty; expected an epoch at least")
    first = next(iter(getattr(history, "epoch", ())), 0)
    columns = min(len(names), 2)
    figure, all_axes = panels(len(names), columns, 9.0 / columns**0.75, 3.4, ax, where)
    for axes, name in zip(all_axes, names, strict=True):
        _draw_curve(axes, name, curves, first)
    return figure


def _draw_curve(axes: Any, name: str, curves: Mapping[str, Array], first: int) -> None:
    style(axes, name.replace("_", " "), "y", ticks=9, fontsize=11)
    shown = {key: 1.0 * curves[key] for key in (name, f"val_{name}") if key in curves}
    for key, values in shown.items():
        colour, label = (INK, "training") if key == name else (RED, "validation")
        every = max(1, len(shown.get(name, values)) // len(values))  # epochs have a validation
        x = first + every * np.arange(1, len(values) + 1)
        lines = axes.plot(x, values, "-", color=colour, linewidth=1.5)
        known = np.pad(np.isfinite(values.reshape(len(values), -1).T), ((0, 0), (1, 1)))
        alone = known[:, 1:-1] & ~known[:, :-2] & ~known[:, 2:]  # no line leads to these
        for line, single in zip(lines, alone, strict=True):
            if single.any():
                line.set(marker="o", markersize=4.0, markevery=np.flatnonzero(single).tolist())
        if key == "val_loss" and np.isfinite(values).any():
            best = np.nanargmin(values)
            label += f", lowest {values[best]:.3g} in epoch {x[best]}"
            axes.plot(x[best], values[best], "o", color=RED, markersize=5)
        lines[0].set_label(label)  # one of a metric of several values
    every_value = np.concatenate([values.ravel() for values in shown.values()])
    every_value = every_value[np.isfinite(every_value)]
    low, high = every_value.min(initial=np.inf), every_value.max(initial=-np.inf)
    lowest_end = min(values[-1].min() for values in shown.values())
    if low > 0.0 and high >= _FALL * lowest_end:
        axes.set_yscale("log", subs=[])
        if high < _MANY * low:
            axes.yaxis.get_major_locator().set_params(subs=(1.0, 2.0, 5.0))
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    axes.margins(x=0.02)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if len(shown) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def forecast(
    known: ArrayLike,
    mean: ArrayLike,
    lower: Any = None,
    upper: Any = None,
    truth: ArrayLike = None,
    *,
    times: Sequence[str] | None = None,
    name: str = "value",
    title: str | None = None,
    ax: Any = None,
) -> Figure:
    """Draw a series, its forecast with intervals, and what came.

    Parameters
    ----------
    known : array_like
        (T,): the series up to the forecast.
    mean : array_like
        (H,): the forecast of the next steps.
    lower, upper : array_like or dict of float to array_like, optional
        (H,): the ends of an interval, or of several by their levels: ``{0.8: ..., 0.95: ...}``.
    truth : array_like, optional
        Up to (H,): what came.
    times : list of str, optional
        (T + H,): what to write at the steps; by default their numbers, from 0.
    name, title : str, optional
        What the values are, and the title.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For arrays of other shapes, and one end of an interval without the other.

    Examples
    --------
    >>> import lstmfast as lf
    >>> figure = lf.plot.forecast([1, 2, 3], [4, 5], lower=[3, 4], upper=[5, 6], truth=[4, 6])
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['value', 'truth', 'forecast', 'interval']
    """
    where = "plot.forecast"
    known, mean = _steps(known, "known", where), _steps(mean, "mean", where)
    horizon = len(mean)
    lowers = _by_level(lower, "lower", where, horizon)
    uppers = _by_level(upper, "upper", where, horizon)
    if lowers.keys() != uppers.keys():
        raise ValueError(f"[{where}] lower and upper differ in levels; expected both of each")
    title = title or f"Forecast of {horizon} step{'s' * (horizon > 1)}"
    figure, (axes,) = panels(1, 1, 9.0, 4.2, ax, where)
    style(axes, title, "y", ticks=9, fontsize=12, pad=24.0 if len(title) > _LONG else None)
    axes.set_ylabel(name, color=INK)
    axes.plot(np.arange(len(known)), known, color=INK, linewidth=1.4, label=name)
    draw_ahead(axes, known, mean, lowers, uppers, "forecast")
    if truth is not None:
        came = _steps(truth, "truth", where)
        if len(came) > horizon:
            raise wrong_shape(where, "truth", came.shape, f"at most ({horizon},)")
        x = len(known) + np.arange(len(came))
        axes.plot(x, came, "o-", color=INK, linewidth=0.8, markersize=3.2, label="truth")
    if times is None:
        axes.set_xlabel("step", color=INK)
    else:
        label_times(axes, tokens(times, "times", len(known) + horizon, where))
    add_legend(axes, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=6, borderaxespad=0.2)
    return figure


def _steps(values: ArrayLike, name: str, where: str, length: int | None = None) -> Array:
    """Return values of steps, without the axes of length 1 that predictions have."""
    array = as_array(values, where, name).astype(float)
    found = np.atleast_1d(array.squeeze())
    if found.ndim > 1 or not found.size or length not in (None, len(found)):
        raise wrong_shape(where, name, array.shape, "(steps,)" if length is None else (length,))
    return found


def _by_level(ends: Any, name: str, where: str, horizon: int) -> dict[float, Array]:
    """Return one end of intervals by their levels, 0 where none is given."""
    given = ends if isinstance(ends, Mapping) else {} if ends is None else {0.0: ends}
    return {level: _steps(end, name, where, horizon) for level, end in given.items()}


def draw_ahead(axes: Any, known: Array, mean: Array, lower: Any, upper: Any, label: str) -> None:
    """Draw a forecast with its intervals, by their levels, from the last known value on."""
    last = known[-1:]
    x = np.arange(len(known) - 1, len(known) + len(mean))
    for level in sorted(lower, reverse=True):
        text = f"{level:.0%} interval" if level else "interval"
        axes.fill_between(
            x,
            np.concatenate([last, lower[level]]),
            np.concatenate([last, upper[level]]),
            color=_BANDS.get(level, _BAND),
            linewidth=0,
            label=text if label else "",
        )
    axes.plot(x, np.concatenate([last, mean]), color=RED, linewidth=1.9, label=label)


def label_times(axes: Any, labels: Sequence[str]) -> None:
    """Mark a few times: Januaries with their year where the times are months."""
    januaries = [i for i, label in enumerate(labels) if len(label) == 7 and label[5:] == "01"]
    yearly = len(januaries) >= 3
    longest = max(map(len, labels))
    most = 14 if yearly else min(7, max(2, 80 // max(longest, 1)))
    places = januaries if yearly else [*range(len(labels))]
    ticks = places[:: -(-len(places) // most)]
    axes.set_xticks(ticks, [labels[i][:4] if yearly else labels[i] for i in ticks])
