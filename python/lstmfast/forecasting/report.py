"""What the commands print about forecasts: plain text."""

from __future__ import annotations

import csv
import io
import math
from statistics import median

import numpy as np

from .demo import DemoRun
from .pipeline import Forecast
from .scores import Scores
from .series import Series

__all__ = ["demo_text", "forecast_csv", "forecast_note"]


def forecast_csv(series: Series, coming: Forecast) -> str:
    """Return the forecast as CSV: time, value, lower and upper ends by level."""
    levels = sorted(coming.lower)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    ends = [f"{end}_{100 * level:g}" for level in levels for end in ("lower", "upper")]
    writer.writerow([series.time_name, series.columns[0], *ends])
    columns = [coming.mean]
    for level in levels:
        columns += [coming.lower[level], coming.upper[level]]
    # as many decimals as make six digits of a typical value
    size = float(np.median(np.abs(coming.mean)))
    decimals = 5 - math.floor(math.log10(size)) if size > 0 else 6
    for row, time in enumerate(series.future(len(coming.mean))):
        writer.writerow([time, *(_rounded(float(column[row]), decimals) for column in columns)])
    return buffer.getvalue()


def _rounded(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if decimals > 0 else f"{value:.0f}"


def forecast_note(series: Series, coming: Forecast) -> str:
    """Return a few lines on what was done, and what validation says it is worth."""
    forecaster, validation = coming.trained.forecaster, coming.trained.validation
    window, horizon = forecaster.window, len(coming.mean)
    season = f"season {window.season}" if window.season else "no season"
    filled = f", {series.filled} of them interpolated" if series.filled else ""
    scores = sorted(validation.scores.items(), key=lambda item: item[1].one_step)
    held_out = validation.plan.part * validation.plan.parts
    what = f'{series.name}: {len(series.values)} values of "{series.columns[0]}"{filled}'
    how = f"{season}, look-back {window.lookback}, {forecaster.transform.name}"
    lines = [
        f"{what}, {series.times[0]} to {series.times[-1]}",
        f"{how}, {validation.epochs} epochs",
        f"RMSE on the last {held_out} values, forecast by trainings on what lies before them:",
        *_table(["", "one step", _steps(horizon)], _rows(dict(scores))),
    ]
    if scores[0][0] != "LSTM":
        lines.append(f"One step ahead the LSTM does not win here; {scores[0][0]} does.")
    return "\n".join(lines)


def demo_text(run: DemoRun) -> str:
    """Return the demo's report."""
    blocks = [_demo_setting(run), _demo_errors(run), _demo_intervals(run), _demo_verdict(run)]
    return "\n\n".join("\n".join(lines) for lines in [*blocks, _demo_time(run)])


def _demo_setting(run: DemoRun) -> list[str]:
    count, start, window = len(run.values), run.start, run.window
    span = f"{run.times[0]} to {run.times[-1]}"
    found = f"season {window.season}, look-back {window.lookback}"
    return [
        f"Airline passengers a month, in thousands: {count} values, {span}.",
        f"Training: the first {start}, to {run.times[start - 1]}; they alone decide on everything.",
        f"Test: the {count - start} after them. From the training values: {found}.",
    ]


def _demo_errors(run: DemoRun) -> list[str]:
    one, rolling = _one_step(run), _rolling(run)
    rows = [
        [f"LSTM, median of {len(one)} seeds", _number(median(one)), _number(median(rolling))],
        ["LSTM, best to worst seed", _span(one), _span(rolling)],
        *_rows(run.baselines),
    ]
    tests, horizon = len(run.values) - run.start, run.horizon
    origins = tests - horizon + 1
    return [
        *_table(["RMSE on the test values", "one step", f"rolling {_steps(horizon)}"], rows),
        f"one step: each of the {tests} values, from the true values before it",
        f"rolling: 1 to {horizon} steps ahead from each of {origins} origins, from the true values",
        f"before the origin alone; all {origins * horizon} errors together",
    ]


def _demo_intervals(run: DemoRun) -> list[str]:
    rows = [
        [f"nominal {level:.0%}", f"{single:.0%}", f"{whole:.0%}"]
        for level, (single, whole) in run.covered.items()
    ]
    head = ["Test values inside the intervals", "one step", f"1 to {_steps(run.horizon)}"]
    return _table(head, rows)


def _demo_verdict(run: DemoRun) -> list[str]:
    """Return who wins, one step and more steps ahead, in plain words."""
    lines = []
    for where, mine, kind in (
        ("One step ahead", median(_one_step(run)), "one_step"),
        (f"{_steps(run.horizon)} ahead", median(_rolling(run)), "rolling"),
    ):
        others = {name: getattr(each, kind) for name, each in run.baselines.items()}
        name = min(others, key=lambda key: others[key])
        best = others[name]
        if mine < best:
            lines.append(f"{where} the LSTM wins, {_number(mine)} against {_number(best)};")
            lines.append(f"  second is {name}, {best / mine - 1:.0%} worse.")
        else:
            lines.append(f"{where} {name} wins, {_number(best)} against {_number(mine)};")
            lines.append(f"  the LSTM is {mine / best - 1:.0%} worse.")
    return lines


def _demo_time(run: DemoRun) -> list[str]:
    timing = run.timing
    ratio = timing.numpy / timing.core
    score = f"{_number(timing.numpy_score.one_step)} and {_number(timing.numpy_score.rolling)}"
    return [
        f"Time: {timing.all_seeds:.1f} s for {timing.trainings} trainings, validation included.",
        f"One training of {timing.epochs} epochs: {1e3 * timing.core:.0f} ms; the same in NumPy",
        f"  (lstmfast.reference): {1e3 * timing.numpy:.0f} ms, {ratio:.0f} times as long.",
        f"  Trained in NumPy, the network has an RMSE of {score}.",
    ]


def _one_step(run: DemoRun) -> list[float]:
    return [each.one_step for each in run.seeds]


def _rolling(run: DemoRun) -> list[float]:
    return [each.rolling for each in run.seeds]


def _rows(scores: dict[str, Scores]) -> list[list[str]]:
    return [[name, _number(s.one_step), _number(s.rolling)] for name, s in scores.items()]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return lines: the first column to the left, the others to the right."""
    cells = [head, *rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:]]


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _span(values: list[float]) -> str:
    return f"{_number(min(values))} to {_number(max(values))}"
