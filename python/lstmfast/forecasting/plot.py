"""Pictures of forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.plot._looks import FAINT, INK, RED, content, new_figure, style

from .demo import DemoRun
from .errors import counted
from .pipeline import Ends, Forecast
from .series import Series

# opaque, so that the legend shows the same colours as the picture
_BANDS = {0.95: "#f7d3d8", 0.8: "#e699a4"}
_BAND = "#efbcc3"
# the forecast has at least a sixth of the width
_LEAST_HISTORY = 48
_HISTORY_PER_STEP = 5


def plot_forecast(series: Series, coming: Forecast, kind: str) -> bytes:
    """Draw the end of a series and its forecast; return the file's content."""
    horizon, name = len(coming.mean), series.columns[0]
    shown = min(len(series.values), max(_LEAST_HISTORY, _HISTORY_PER_STEP * horizon))
    known = series.values[-shown:, 0]
    axes = _canvas(9.0, 4.2, f"Forecast of {counted(horizon, 'step')}", name)
    axes.plot(np.arange(shown), known, color=INK, linewidth=1.4, label=name)
    _draw_ahead(axes, known, coming.mean, coming.lower, coming.upper, "forecast")
    _label_times(axes, series.times[-shown:] + series.future(horizon))
    return _with_legend(
        axes, kind, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, borderaxespad=0.2
    )


def plot_demo(run: DemoRun, kind: str) -> bytes:
    """Draw the series, and the forecasts of each test year made at its beginning."""
    values, start, horizon = run.values, run.start, run.forecasts.shape[1]
    title = "Airline passengers: each test year forecast from the December before"
    axes = _canvas(10.0, 4.8, title, "passengers a month, thousands")
    x = np.arange(len(values))
    axes.axvspan(-6, start - 0.5, color="#eef1f4", linewidth=0, zorder=0)
    for row in range(0, len(values) - start - horizon + 1, horizon):
        lower, upper = (
            {level: rows[row] for level, rows in ends.items()} for ends in (run.lower, run.upper)
        )
        label = "" if row else f"LSTM forecast, 1 to {horizon} months ahead"
        _draw_ahead(axes, values[: start + row], run.forecasts[row], lower, upper, label)
    axes.plot(x, values, color=INK, linewidth=1.3, label="passengers", zorder=3)
    axes.plot(x[start:], values[start:], ".", color=INK, markersize=4.5, zorder=4)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.9 * values.min()), high)
    for at, text, side in ((start - 2, "training", "right"), (start + 1, "test", "left")):
        axes.text(
            at, 0.955, text, ha=side, va="top", color=FAINT, transform=axes.get_xaxis_transform()
        )
    axes.axvline(start - 0.5, color=FAINT, linewidth=0.8)
    axes.set_xlim(-2, len(values) + 1)
    _label_times(axes, run.times)
    return _with_legend(axes, kind, loc="upper left")


def _canvas(width: float, height: float, title: str, what: str) -> Any:
    """Return the axes of a new figure for a series of `what`."""
    axes = new_figure(width, height).add_subplot()
    style(axes, title, "y", ticks=9, fontsize=12)
    axes.set_ylabel(what, color=INK)
    return axes


def _draw_ahead(axes: Any, known: Array, mean: Array, lower: Ends, upper: Ends, label: str) -> None:
    """Draw a forecast with its intervals from the last known value on."""
    last = known[-1:]
    x = np.arange(len(known) - 1, len(known) + len(mean))
    for level in sorted(lower, reverse=True):
        axes.fill_between(
            x,
            np.concatenate([last, lower[level]]),
            np.concatenate([last, upper[level]]),
            color=_BANDS.get(level, _BAND),
            linewidth=0,
            label=f"{level:.0%} interval" if label else "",
        )
    axes.plot(x, np.concatenate([last, mean]), color=RED, linewidth=1.9, label=label)


def _label_times(axes: Any, labels: Sequence[str]) -> None:
    """Mark a few times: Januaries with their year where the times are months."""
    januaries = [i for i, label in enumerate(labels) if len(label) == 7 and label[5:] == "01"]
    yearly = len(januaries) >= 3
    places, most = (januaries, 14) if yearly else ([*range(len(labels))], 7)
    ticks = places[:: -(-len(places) // most)]
    axes.set_xticks(ticks, [labels[i][:4] if yearly else labels[i] for i in ticks])


def _with_legend(axes: Any, kind: str, **place: Any) -> bytes:
    """Return the file of a picture, with a legend at this place."""
    drawn = sorted(
        zip(*axes.get_legend_handles_labels(), strict=True),
        key=lambda each: ("interval" in each[1], "forecast" in each[1], each[1]),
    )
    handles, labels = zip(*drawn, strict=True)
    axes.legend(handles, labels, frameon=False, fontsize=9, labelcolor=INK, **place)
    return content(axes.figure, kind)
