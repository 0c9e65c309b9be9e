"""The texts that the commands print about forecasts."""

from __future__ import annotations

import csv
import io
import math
from statistics import median

import numpy as np

from .demo import HORIZON, DemoRun
from .errors import counted
from .outliers import ends_far
from .pipeline import Forecast
from .scores import Scores
from .series import Series
from .validation import Validation

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
    setup, validation = coming.trained.forecaster.setup, coming.trained.validation
    plan, reach, horizon = validation.plan, validation.reach, len(coming.mean)
    season = f"season {coming.season}" if coming.season else "no season"
    filled = f", {series.filled} of them interpolated" if series.filled else ""
    what = f'{series.name}: {len(series.values)} values of "{series.columns[0]}"{filled}'
    how = f"{season}, look-back {setup.window.lookback}, {setup.transform.name}"
    lines = [
        *series.notes,
        *_suspicious(series, coming),
        f"{what}, {series.times[0]} to {series.times[-1]}",
        f"{how}, {counted(validation.epochs, 'epoch')}",
    ]
    if not plan.chooses:
        why = "the series is too short to choose their number by a part of it"
        lines.append(f"(half of the epochs: {why})")
    lines += [
        f"RMSE on the last {plan.scored} values, forecast by trainings on what lies before them:",
        *_validation_table(validation),
        *_validation_verdict(validation),
    ]
    if horizon > reach:
        lines += [
            f"These values can measure {counted(reach, 'step')} ahead, not {horizon}:",
            f"beyond step {reach} the intervals grow with the square root of the step,",
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
    if ends_far(coming.trained.forecaster.setup.transform.scale(target)):
        lines.append(
            f"{series.where(len(target) - 1, 0)} has {_value(target[-1])} after "
            f"{_value(target[-2])}; the forecast starts from it, but it may be wrong"
        )
    return lines


def _validation_table(validation: Validation) -> list[str]:
    """Return the errors of the network and the rules, the best first, with an explanation."""
    reach = validation.reach
    scores = dict(sorted(validation.scores.items(), key=lambda item: item[1].one_step))
    origins = int((~np.isnan(validation.errors[:, reach - 1])).sum())
    head, one, more = "", "one step", f"1 to {reach} steps"
    explained = _explained(validation.plan.scored, f"{more}: so far ahead", origins, reach)
    if reach == 1:
        return [*_table([head, one], [row[:2] for row in _rows(scores)]), explained[0]]
    return [*_table([head, one, more], _rows(scores)), *explained]


def _explained(scored: int, ahead: str, origins: int, steps: int) -> list[str]:
    """Return what the two errors of a table are."""
    return [
        f"one step: each of the {scored} values, from the true values before it",
        f"{ahead} from each of {origins} origins, from the true values",
        f"before the origin alone; all {origins * steps} errors together",
    ]


def _validation_verdict(validation: Validation) -> list[str]:
    rules = {**validation.scores}
    compared = _compared(rules.pop("LSTM"), rules, validation.reach)
    lines = [line for each in compared for line in _verdict(*each)]
    if any(_differ(error, min(others.values())) > 0 for _, error, others in compared):
        lines.append("The forecast is the LSTM's nevertheless: the rules are only compared with.")
    return lines


def _compared(
    mine: Scores, rules: dict[str, Scores], steps: int
) -> list[tuple[str, float, dict[str, float]]]:
    """Return the arguments of `_verdict` for one step ahead, and for all where there are more."""
    places = ["One step ahead", f"1 to {steps} steps ahead"][:steps]
    return [
        (where, mine[kind], {name: each[kind] for name, each in rules.items()})
        for kind, where in enumerate(places)
    ]


def demo_text(run: DemoRun) -> str:
    """Return the demo's report."""
    lstm = Scores(*map(median, zip(*run.seeds, strict=True)))
    compared = _compared(lstm, run.baselines, HORIZON)
    blocks = [
        _demo_setting(run),
        _demo_errors(run, lstm),
        _demo_intervals(run),
        [line for each in compared for line in _verdict(*each)],
        _demo_time(run),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _demo_setting(run: DemoRun) -> list[str]:
    count, start, window = len(run.values), run.start, run.window
    span = f"{run.times[0]} to {run.times[-1]}"
    found = f"season {window.season}, look-back {window.lookback}"
    return [
        f"Airline passengers a month, in thousands: {count} values, {span}.",
        f"Training: the first {start}, to {run.times[start - 1]}; they alone decide on everything.",
        f"Test: the {count - start} after them. From the training values: {found}.",
    ]


def _demo_errors(run: DemoRun, lstm: Scores) -> list[str]:
    spans = [f"{_number(min(s))} to {_number(max(s))}" for s in zip(*run.seeds, strict=True)]
    rows = [
        *_rows({f"LSTM, median of {counted(len(run.seeds), 'seed')}": lstm}),
        ["LSTM, best to worst seed", *spans],
        *_rows(run.baselines),
    ]
    tests = len(run.values) - run.start
    head = ["RMSE on the test values", "one step", f"rolling {HORIZON} steps"]
    ahead = f"rolling: 1 to {HORIZON} steps ahead"
    return [*_table(head, rows), *_explained(tests, ahead, tests - HORIZON + 1, HORIZON)]


def _demo_intervals(run: DemoRun) -> list[str]:
    rows = [
        [f"nominal {level:.0%}", *(f"{share:.0%}" for share in shares)]
        for level, shares in run.covered.items()
    ]
    return _table(["Test values inside the intervals", "one step", f"1 to {HORIZON} steps"], rows)


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
    one = f"One training of {counted(timing.epochs, 'epoch')}"
    validations = timing.trainings // len(run.seeds) - 1
    each = f"{validations + 1} a seed ({validations} to validate, 1 final)"
    score = " and ".join(map(_number, timing.numpy_score))
    return [
        f"Time: {timing.all_seeds:.1f} s for {counted(timing.trainings, 'training')}, {each}.",
        f"{one}: {1e3 * timing.core:.0f} ms; the same in NumPy",
        f"  (lstmfast.reference): {1e3 * timing.numpy:.0f} ms, {ratio:.0f} times as long.",
        f"  Trained in NumPy, the network has an RMSE of {score}.",
    ]


def _rows(scores: dict[str, Scores]) -> list[list[str]]:
    return [[name, *map(_number, each)] for name, each in scores.items()]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return lines: the first column to the left, the others to the right."""
    cells = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    line = "  ".join(f"{{:{'>' if k else '<'}{width}}}" for k, width in enumerate(widths))
    first, *others = [line.format(*row).rstrip() for row in cells]
    return [first, "  ".join("-" * width for width in widths), *others]


def _value(value: float) -> str:
    """Return a number of the file's, with all of its digits up to ten."""
    return f"{value:.10g}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    if abs(value) < 10 or abs(value) >= _LONG:
        return f"{value:.3g}"
    return f"{value:.1f}" if abs(value) < 1e5 else f"{value:.0f}"
