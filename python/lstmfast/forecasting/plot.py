"""Pictures of forecasts; the only file here that needs matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .pipeline import Forecast
from .series import Series

if TYPE_CHECKING:
    from .demo import DemoRun

__all__ = ["MISSING", "available", "formats", "plot_demo", "plot_forecast"]

Array = NDArray[np.float64]

MISSING = "a plot needs matplotlib: pip install matplotlib"
_INK = "#22313f"
_COLOUR = "#d1495b"
_FAINT = "#8d99a6"
# opaque, so that the legend shows the same colours as the picture
_BANDS = {0.95: "#f7d3d8", 0.8: "#e699a4"}
_BAND = "#efbcc3"
# the forecast has at least a sixth of the width
_LEAST_HISTORY = 48
_HISTORY_PER_STEP = 5


def available() -> bool:
    """Tell whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def formats() -> list[str]:
    """Return the kinds of file that can be written, as suffixes without the dot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return sorted(FigureCanvasAgg.get_supported_filetypes())


def plot_forecast(series: Series, coming: Forecast, kind: str) -> bytes:
    """Draw the end of a series and its forecast; return the file's content."""
    horizon = len(coming.mean)
    shown = min(len(series.values), max(_LEAST_HISTORY, _HISTORY_PER_STEP * horizon))
    known = series.values[-shown:, 0]
    labels = series.times[-shown:] + series.future(horizon)
    figure, axes = _canvas(9.0, 4.2)
    x = np.arange(shown + horizon)
    axes.plot(x[:shown], known, color=_INK, linewidth=1.4, label=series.columns[0])
    ahead = np.concatenate([x[shown - 1 : shown], x[shown:]])
    for level in sorted(coming.lower, reverse=True):
        axes.fill_between(
            ahead,
            np.concatenate([known[-1:], coming.lower[level]]),
            np.concatenate([known[-1:], coming.upper[level]]),
            color=_BANDS.get(level, _BAND),
            linewidth=0,
            label=f"{level:.0%} interval",
        )
    middle = np.concatenate([known[-1:], coming.mean])
    axes.plot(ahead, middle, color=_COLOUR, linewidth=1.8, label="forecast")
    _label_times(axes, labels)
    axes.set_ylabel(series.columns[0], color=_INK)
    axes.set_title(
        f"Forecast of {horizon} step{'s' if horizon > 1 else ''}",
        loc="left",
        color=_INK,
        fontsize=12,
    )
    _legend(axes, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, borderaxespad=0.2)
    return _content(figure, kind)


def plot_demo(run: DemoRun, kind: str) -> bytes:
    """Draw the series, and the forecasts of each test year made at its beginning."""
    values, start, horizon = run.values, run.start, run.horizon
    figure, axes = _canvas(10.0, 4.8)
    x = np.arange(len(values))
    axes.axvspan(-6, start - 0.5, color="#eef1f4", linewidth=0, zorder=0)
    for origin in range(start, len(values) - horizon + 1, horizon):
        row = origin - start
        ahead = x[origin - 1 : origin + horizon]
        known = values[origin - 1 : origin]
        first = origin == start
        for level in sorted(run.lower, reverse=True):
            axes.fill_between(
                ahead,
                np.concatenate([known, run.lower[level][row]]),
                np.concatenate([known, run.upper[level][row]]),
                color=_BANDS.get(level, _BAND),
                linewidth=0,
                label=f"{level:.0%} interval" if first else None,
            )
        axes.plot(
            ahead,
            np.concatenate([known, run.forecasts[row]]),
            color=_COLOUR,
            linewidth=1.9,
            label=f"LSTM forecast, 1 to {horizon} months ahead" if first else None,
        )
    axes.plot(x, values, color=_INK, linewidth=1.3, label="passengers", zorder=3)
    axes.plot(x[start:], values[start:], ".", color=_INK, markersize=4.5, zorder=4)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.9 * values.min()), high)
    for at, text, side in ((start - 2, "training", "right"), (start + 1, "test", "left")):
        axes.text(
            at, 0.955, text, ha=side, va="top", color=_FAINT, transform=axes.get_xaxis_transform()
        )
    axes.axvline(start - 0.5, color=_FAINT, linewidth=0.8)
    axes.set_xlim(-2, len(values) + 1)
    _label_times(axes, run.times)
    axes.set_ylabel("passengers a month, thousands", color=_INK)
    axes.set_title(
        "Airline passengers: each test year forecast from the December before",
        loc="left",
        color=_INK,
        fontsize=12,
    )
    _legend(axes, loc="upper left")
    return _content(figure, kind)


def _canvas(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(axis="y", color="#d9dee3", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _label_times(axes: Any, labels: Sequence[str]) -> None:
    """Mark a few times: Januaries with their year where the times are months."""
    januaries = [i for i, label in enumerate(labels) if len(label) == 7 and label[5:] == "01"]
    if len(januaries) >= 3:
        stride = -(-len(januaries) // 14)
        ticks = januaries[::stride]
        texts = [labels[i][:4] for i in ticks]
    else:
        ticks = list(range(0, len(labels), max(1, -(-len(labels) // 7))))
        texts = [labels[i] for i in ticks]
    axes.set_xticks(ticks, texts)


def _legend(axes: Any, **place: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: ("forecast" in labels[i], labels[i]))
    order = sorted(order, key=lambda i: "interval" in labels[i])
    axes.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        frameon=False,
        fontsize=9,
        labelcolor=_INK,
        **place,
    )


def _content(figure: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    return buffer.getvalue()
