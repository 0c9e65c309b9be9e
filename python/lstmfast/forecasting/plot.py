"""Pictures of forecasts."""

from __future__ import annotations

import numpy as np

from lstmfast.plot.looks import FAINT, INK, add_legend, content, new_figure, style
from lstmfast.plot.series import draw_ahead, forecast, label_times

from .demo import DemoRun
from .errors import counted
from .pipeline import Forecast
from .series import Series

# the forecast has at least a sixth of the width
_LEAST_HISTORY = 48
_HISTORY_PER_STEP = 5


def plot_forecast(series: Series, coming: Forecast, kind: str) -> bytes:
    """Draw the end of a series and its forecast; return the file's content."""
    horizon, name = len(coming.mean), series.columns[0]
    shown = min(len(series.values), max(_LEAST_HISTORY, _HISTORY_PER_STEP * horizon))
    figure = forecast(
        series.values[-shown:, 0],
        coming.mean,
        coming.lower,
        coming.upper,
        times=series.times[-shown:] + series.future(horizon),
        name=name,
        title=f"Forecast of {counted(horizon, 'step')}",
    )
    return content(figure, kind)


def plot_demo(run: DemoRun, kind: str) -> bytes:
    """Draw the series, and the forecasts of each test year made at its beginning."""
    values, start, horizon = run.values, run.start, run.forecasts.shape[1]
    title = "Airline passengers: each test year forecast from the December before"
    figure = new_figure(10.0, 4.8)
    axes = figure.add_subplot()
    style(axes, title, "y", ticks=9, fontsize=12)
    axes.set_ylabel("passengers a month, thousands", color=INK)
    x = np.arange(len(values))
    axes.axvspan(-6, start - 0.5, color="#eef1f4", linewidth=0, zorder=0)
    for row in range(0, len(values) - start - horizon + 1, horizon):
        lower, upper = (
            {level: rows[row] for level, rows in ends.items()} for ends in (run.lower, run.upper)
        )
        label = "" if row else f"LSTM forecast, 1 to {horizon} months ahead"
        draw_ahead(axes, values[: start + row], run.forecasts[row], lower, upper, label)
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
    label_times(axes, run.times)
    add_legend(axes, loc="upper left")
    return content(figure, kind)
