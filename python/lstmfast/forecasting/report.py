"""The texts that the commands print about forecasts."""

from __future__ import annotations

import csv
import io
import math
from statistics import median

import numpy as np

from .demo import DemoRun
from .outliers import ends_far
from .pipeline import Forecast
from .scores import Scores
from .series import Series
from .validation import Plan, Validation

__all__ = ["demo_text", "forecast_csv", "forecast_note"]

# Beyond these, numbers written in full are mostly zeros; 16 digits after the first are exact.
_MOST_DECIMALS = 15
_LONG = 1e16
_EXACT = 16


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
    # six digits of a typical value, or more where the narrowest interval needs them
    size = float(np.median(np.abs(coming.mean)))
    width = float(np.median(coming.upper[levels[0]] - coming.lower[levels[0]])) if levels else 0.0
    digits = [d - math.floor(math.log10(x)) for d, x in ((5, size), (1, width)) if x > 0]
    decimals = max(digits, default=6)
    for row, time in enumerate(series.future(len(coming.mean))):
        writer.writerow([time, *(_rounded(float(column[row]), decimals) for column in columns)])
    return buffer.getvalue()


def _rounded(value: float, decimals: int) -> str:
    """Return a number with so many decimals; with an exponent where digits would be many."""
    if decimals <= _MOST_DECIMALS and abs(value) < _LONG:
        return f"{value:.{max(decimals, 0)}f}"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = decimals + math.floor(math.log10(abs(value)))
    return f"{value:.{min(max(digits, 0), _EXACT)}e}"


def forecast_note(series: Series, coming: Forecast) -> str:
    """Return a few lines on the forecast and its validation."""
    forecaster, validation = coming.trained.forecaster, coming.trained.validation
    window, plan = forecaster.window, validation.plan
    season = f"season {window.season}" if window.season else "no season"
    filled = f", {series.filled} of them interpolated" if series.filled else ""
    what = f'{series.name}: {len(series.values)} values of "{series.columns[0]}"{filled}'
    how = f"{season}, look-back {window.lookback}, {forecaster.transform.name}"
    lines = [
        *series.notes,
        *_suspicious(series, coming),
        f"{what}, {series.times[0]} to {series.times[-1]}",
        f"{how}, {_count(validation.epochs, 'epoch')}",
        *_epochs_note(plan),
        f"RMSE on the last {plan.scored} values, forecast by trainings on what lies before them:",
        *_validation_table(validation),
        *_validation_verdict(validation),
    ]
    horizon = len(coming.mean)
    if horizon > validation.reach:
        lines += [
            f"These values can measure {_count(validation.reach, 'step')} ahead, not {horizon}:",
            f"beyond step {validation.reach} the intervals grow with the square root of the step,",
            "which is an assumption. More data or a shorter horizon would do without it.",
        ]
    return "\n".join(lines)


def _suspicious(series: Series, coming: Forecast) -> list[str]:
    """Return a line for each value that looks wrong: its place, and whether it was replaced."""
    lines = []
    for row, column in coming.replaced:
        values = series.values[:, column]
        kept = np.setdiff1d(
            np.arange(len(values)), [at for at, where in coming.replaced if where == column]
        )
        around = [*kept[kept < row][-1:], *kept[kept > row][:1]]  # before the first there is none
        near = " and ".join(_value(values[at]) for at in around)
        taken = "the line between was" if len(around) == 2 else f"{near} was"
        lines.append(
            f"{series.where(row, column)} has {_value(values[row])} next to {near}; that looks "
            f"wrong, {taken} taken instead (use --outliers keep to keep it)"
        )
    target = series.values[:, 0]
    if ends_far(coming.trained.forecaster.transform.scale(target)):
        lines.append(
            f"{series.where(len(target) - 1, 0)} has {_value(target[-1])} after "
            f"{_value(target[-2])}; the forecast starts from it, but it may be wrong"
        )
    return lines


def _epochs_note(plan: Plan) -> list[str]:
    if plan.chooses:
        return []
    return ["(half of the epochs: the series is too short to choose their number by a part of it)"]


def _validation_table(validation: Validation) -> list[str]:
    """Return the errors of the network and the rules, the best first, with an explanation."""
    reach = validation.reach
    scores = dict(sorted(validation.scores.items(), key=lambda item: item[1].one_step))
    one = f"one step: each of the {validation.plan.scored} values, from the true values before it"
    if reach == 1:
        return [*_table(["", "one step"], [row[:2] for row in _rows(scores)]), one]
    origins = int((~np.isnan(validation.errors[:, reach - 1])).sum())
    return [
        *_table(["", "one step", f"1 to {reach} steps"], _rows(scores)),
        one,
        f"1 to {reach} steps: so far ahead from each of {origins} origins, from the true values",
        f"before the origin alone; all {origins * reach} errors together",
    ]


def _validation_verdict(validation: Validation) -> list[str]:
    mine = validation.scores["LSTM"]
    rules = [(name, each) for name, each in validation.scores.items() if name != "LSTM"]
    compared = [("One step ahead", mine.one_step, {name: each.one_step for name, each in rules})]
    if validation.reach > 1:
        where = f"1 to {validation.reach} steps ahead"
        compared.append((where, mine.rolling, {name: each.rolling for name, each in rules}))
    lines = [line for each in compared for line in _verdict(*each)]
    if any(_differ(error, min(others.values())) > 0 for _, error, others in compared):
        lines.append("The forecast is the LSTM's nevertheless: the rules are only compared with.")
    return lines


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
        [
            f"LSTM, median of {_count(len(one), 'seed')}",
            _number(median(one)),
            _number(median(rolling)),
        ],
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
    one = {name: each.one_step for name, each in run.baselines.items()}
    more = {name: each.rolling for name, each in run.baselines.items()}
    return [
        *_verdict("One step ahead", median(_one_step(run)), one),
        *_verdict(f"1 to {_steps(run.horizon)} ahead", median(_rolling(run)), more),
    ]


def _verdict(where: str, mine: float, others: dict[str, float]) -> list[str]:
    """Return a sentence on whether the LSTM or the best rule is better."""
    name = min(others, key=lambda key: others[key])
    best = others[name]
    if _differ(mine, best) == 0:
        return [f"{where} {name} is as good as the LSTM, {_number(best)}."]
    if mine < best:
        second = f"  second is {name}" + (f", {_worse(best / mine)}." if mine > 0 else ".")
        return [f"{where} the LSTM wins, {_number(mine)} against {_number(best)};", second]
    last = f"the LSTM is {_worse(mine / best)}." if best > 0 else "which is exact."
    return [f"{where} {name} wins, {_number(best)} against {_number(mine)};", f"  {last}"]


def _differ(mine: float, other: float) -> float:
    """Return the difference of two errors; nothing where they are the same as printed."""
    return 0.0 if _number(mine) == _number(other) else mine - other


def _worse(ratio: float) -> str:
    """Return how much worse the larger of two errors is."""
    share = f"{ratio - 1:.0%}"
    return f"{'less than 1%' if share == '0%' else share} worse"


def _demo_time(run: DemoRun) -> list[str]:
    timing = run.timing
    ratio = timing.numpy / timing.core
    one = f"One training of {_count(timing.epochs, 'epoch')}"
    validations = timing.trainings // len(run.seeds) - 1
    each = f"{validations + 1} a seed ({validations} to validate, 1 final)"
    score = f"{_number(timing.numpy_score.one_step)} and {_number(timing.numpy_score.rolling)}"
    return [
        f"Time: {timing.all_seeds:.1f} s for {_count(timing.trainings, 'training')}, {each}.",
        f"{one}: {1e3 * timing.core:.0f} ms; the same in NumPy",
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
    return _count(count, "step")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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


def _value(value: float) -> str:
    """Return a number of the file's, with all of its digits up to ten."""
    return f"{value:.10g}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    if abs(value) < 10:
        return f"{value:.3g}"
    if abs(value) >= _LONG:
        return f"{value:.3g}"
    return f"{value:.1f}" if abs(value) < 1e5 else f"{value:.0f}"


def _span(values: list[float]) -> str:
    return f"{_number(min(values))} to {_number(max(values))}"
