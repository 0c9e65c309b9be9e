"""Lines over time: learning curves, and forecasts with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, wrong_shape
from lstmfast._checks import items, number, wrong_kind

from ._looks import INK, RED, panels, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# opaque, so that the legend shows the same colours as the picture
_BANDS = {0.95: "#f7d3d8", 0.8: "#e699a4"}
_BAND = "#efbcc3"
_LONG = 45  # letters of a title beside which a legend has no room
_FALL = 10.0  # how many times lower a curve must end for an axis of powers


def learning_curves(history: Any, names: Sequence[str] | None = None, *, ax: Any = None) -> Figure:
    """Draw loss and metrics over the epochs, those of the validation data in red.

    A dot marks the lowest validation loss. The axis of a curve that falls to a tenth goes by
    powers of ten.

    Parameters
    ----------
    history : History or dict of str to list of float
        What `fit` returns, or its ``history``: ``loss``, ``val_loss``, ...
    names : list of str, optional
        What to draw, without ``val_``; by default all, in the order of the history, and with `ax`
        the loss.
    ax : matplotlib.axes.Axes, optional
        Where to draw one curve.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a name. Notebooks show it; ``savefig`` writes it.

    Raises
    ------
    TypeError, ValueError
        For another kind of history, and for names that it lacks.

    Examples
    --------
    >>> import lstmfast as lf
    >>> figure = lf.plot.learning_curves({"loss": [3.0, 0.9, 0.2], "val_loss": [2.0, 1.1, 0.8]})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['training', 'validation, lowest 0.8 in epoch 3']
    """
    where = "plot.learning_curves"
    curves = getattr(history, "history", history)
    if not isinstance(curves, Mapping):
        raise wrong_kind(where, "history", history, "a History, or a dictionary of lists")
    known = list(dict.fromkeys(str(name).removeprefix("val_") for name in curves))
    if names is None:
        names = known if ax is None else [name for name in known if name == "loss"] or known[:1]
    names = items(names, "names", where, "a list of names: ['loss']")
    for name in names:
        if name not in known:
            raise ValueError(f"[{where}] names has {name!r}; expected some of {known}")
    if not names:
        raise ValueError(f"[{where}] history is empty; expected an epoch at least")
    columns = min(len(names), 2)
    figure, all_axes = panels(len(names), columns, 9.0 / columns**0.75, 3.4, ax, where)
    for axes, name in zip(all_axes, names, strict=True):
        _draw_curve(axes, name, curves, getattr(history, "epoch", None), where)
    return figure


def _draw_curve(axes: Any, name: str, curves: Mapping[str, Any], epochs: Any, where: str) -> None:
    style(axes, name.replace("_", " "), "y", ticks=9, fontsize=11)
    shown = []
    for key, colour, label in (name, INK, "training"), (f"val_{name}", RED, "validation"):
        if key not in curves:
            continue
        values = as_array(curves[key], where, key)
        if values.ndim == 0:
            raise wrong_shape(where, key, values.shape, "(epochs,)")
        x = _epochs_of(len(values), epochs, curves.get(name, values))
        lines = axes.plot(x, values, color=colour, linewidth=1.5)
        if key == "val_loss" and np.isfinite(values).any():
            best = np.nanargmin(values)
            label += f", lowest {values[best]:.3g} in epoch {x[best]}"
            axes.plot(x[best], values[best], "o", color=RED, markersize=5)
        lines[0].set_label(label)  # one of a metric of several values
        shown.append(values[np.isfinite(values)])
        if len(values) == 1:
            lines[0].set_marker("o")
    every = np.concatenate(shown)
    ends = [values[-1] for values in shown if values.size]
    if ends and every.min() > 0.0 and every.max() >= _FALL * min(ends):
        axes.set_yscale("log", subs=[], nonpositive="mask")
        is_wide = every.max() > 1000.0 * every.min()
        axes.yaxis.get_major_locator().set_params(subs=(1.0,) if is_wide else (1.0, 2.0, 5.0))
        axes.yaxis.set_major_formatter(lambda y, _: f"{y:g}")
    axes.margins(x=0.02)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    if len(shown) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def _epochs_of(count: int, epochs: Any, training: Sequence[Any]) -> Array:
    """Return the epochs of a curve, of which a validation curve may have but every second one."""
    known = len(epochs) if epochs else len(training)
    every = max(1, known // max(1, count))
    numbers = np.asarray(epochs) + 1 if epochs else np.arange(1, max(known, count) + 1)
    return numbers[every - 1 :: every][:count]


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
    if (lower is None) != (upper is None):
        given, missing = ("lower", "upper") if upper is None else ("upper", "lower")
        raise ValueError(f"[{where}] {given} is given; expected {missing} with it")
    lowers = _by_level(lower, "lower", where, horizon)
    uppers = _by_level(upper, "upper", where, horizon)
    if lowers.keys() != uppers.keys():
        text = f"{[*lowers]}, those of upper {[*uppers]}"
        raise ValueError(f"[{where}] the levels of lower are {text}; expected the same")
    title = f"Forecast of {horizon} step{'s' * (horizon > 1)}" if title is None else title
    figure, (axes,) = panels(1, 1, 9.0, 4.2, ax, where)
    style(axes, title, "y", ticks=9, fontsize=12, pad=24.0 if len(title) > _LONG else None)
    axes.set_ylabel(name, color=INK)
    axes.plot(np.arange(len(known)), known, color=INK, linewidth=1.4, label=name)
    draw_ahead(axes, known, mean, lowers, uppers, "forecast")
    if truth is not None:
        came = _steps(truth, "truth", where)
        if len(came) > horizon:
            raise wrong_shape(where, "truth", came.shape, f"at most ({horizon},)")
        x = np.arange(len(known) - 1, len(known) + len(came))
        y = np.concatenate([known[-1:], came])
        axes.plot(
            x,
            y,
            "o-",
            color=INK,
            linewidth=0.8,
            markersize=3.2,
            label="truth",
            markevery=slice(1, None),
        )
    if times is None:
        axes.set_xlabel("step", color=INK)
    else:
        labels = items(times, "times", where, "a list of strings")
        if len(labels) != len(known) + horizon:
            expected = f"{len(known) + horizon}, one a step of known and mean"
            raise ValueError(f"[{where}] times has {len(labels)} items; expected {expected}")
        label_times(axes, labels)
    place = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.2}
    add_legend(axes, ncols=6, **place)
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
    return {
        number(level, f"a level of {name}", where): _steps(end, name, where, horizon)
        for level, end in given.items()
    }


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
    labels = [str(label) for label in labels]
    januaries = [i for i, label in enumerate(labels) if len(label) == 7 and label[5:] == "01"]
    yearly = len(januaries) >= 3
    longest = max(map(len, labels))
    most = 14 if yearly else min(7, max(2, 80 // max(longest, 1)))
    places = januaries if yearly else [*range(len(labels))]
    ticks = places[:: -(-len(places) // most)]
    axes.set_xticks(ticks, [labels[i][:4] if yearly else labels[i] for i in ticks])


def add_legend(axes: Any, **place: Any) -> None:
    """Add a legend at this place: the series first, then the forecast, then the intervals."""
    drawn = sorted(
        zip(*axes.get_legend_handles_labels(), strict=True),
        key=lambda each: _rank(each[1]),
    )
    handles, labels = zip(*drawn, strict=True)
    axes.legend(handles, labels, frameon=False, fontsize=9, labelcolor=INK, **place)


def _rank(label: str) -> tuple[bool, bool, str]:
    is_interval = label.endswith("interval")
    return is_interval, "forecast" in label, label if is_interval else ""
