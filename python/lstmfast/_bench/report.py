"""The tables of a benchmark run, and its JSON."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import lstmfast as lf
from lstmfast._bench.contest import LeftOut, Suite
from lstmfast._bench.protocol import Goal, Row, threads_text
from lstmfast._bench.shapes import Shape
from lstmfast._core import config

# unit: the unit that is shown, and the divisor
_SHOWN = {
    "s": ("us", 1e-6),
    "seconds": ("s", 1.0),
    "B": ("bytes", 1.0),
    "FLOP/s": ("GFLOP/s", 1e9),
    "B/s": ("GB/s", 1e9),
    "1/s": ("M/s", 1e6),
}
_COLUMNS = "{:30}{:9}{:14}{:>12} {:8}{:>22}{:>7}{:>8}{:>8}{:>9}"


def commit() -> str | None:
    """Return the commit of the project's tree that the benchmark was started in, if it is one."""
    try:
        top = _git("rev-parse", "--show-toplevel")
        if not (Path(top) / "python" / "lstmfast" / "_bench").is_dir():
            return None
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def machine(versions: Mapping[str, str], threads: int, held_to: str | None) -> dict[str, Any]:
    """Return the machine, the engines' versions and the build that the figures belong to.

    held_to: the instruction set that all engines are held to, below the machine's best.
    """
    build = config()
    return {
        "date": date.today().isoformat(),
        "cpu": build["cpu"],
        "cpu id": build["cpu id"],
        "isa": lf.isa(),
        "held to": held_to,
        "caches": f"L1d {build['l1d']}, L2 {build['l2']}, L3 {build['l3']}",
        "system": platform.platform(),
        "compiler": build["compiler"],
        "threads": threads,
        "python": platform.python_version(),
        "engines": dict(versions),
        "commit": commit(),
    }


def header(facts: dict[str, Any]) -> str:
    """Return the lines above the tables."""
    engines = ", ".join(f"{name} {version}" for name, version in facts["engines"].items())
    if facts["held to"] is not None:
        engines += f"; all held to {facts['held to']}"
    return (
        f"{facts['cpu']}, {facts['cpu id']} ({facts['caches']}), {threads_text(facts['threads'])}, "
        f"Python {facts['python']}, {facts['date']}\n{engines}\n"
        "Medians of calls in turns (quartiles). peak: share of the FMA peak measured in the same "
        "run;\nratio: the best other engine's time over lstmfast's; goal: for AVX-512, ! where it "
        "is missed."
    )


def table_header(suite: Suite) -> str:
    """Return the lines above a suite's rows."""
    legend = f"\n{suite.legend}" if suite.legend else ""
    heads = ("case", "mode", "engine", "median", "", "quartiles", "peak", "ratio")
    return f"\n{suite.name}{legend}\n{_COLUMNS.format(*heads, suite.relative, 'goal')}"


def table_rows(rows: Sequence[Row]) -> str:
    """Return one line for each row."""
    return "\n".join(_line(row) for row in rows)


def _line(row: Row) -> str:
    unit, scale = _SHOWN[row.unit]
    median, low, high = (_digits(value / scale) for value in (row.value, row.low, row.high))
    spread = f"{low} .. {high}"
    peak = "" if row.peak_share is None else f"{row.peak_share:.1%}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
    relative = "" if row.relative is None else _relative_text(row.relative)
    goal = "" if row.goal is None else _goal_text(row.goal, scale)
    goal += "!" if row.met is False else ""
    figures = _COLUMNS.format(
        row.label, row.mode, row.engine, median, unit, spread, peak, ratio, relative, goal
    )
    return f"{figures}  {row.note}".rstrip()


def _digits(value: float) -> str:
    """Return a value to a tenth, or with three digits at least."""
    return f"{value:.1f}" if abs(value) >= 10.0 or value == 0.0 else f"{value:#.3g}"


def _relative_text(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def _goal_text(goal: Goal, scale: float) -> str:
    texts = {"peak_share": f"{goal.bound:.0%}", "value": f"{goal.bound / scale:.7g}"}
    return ("<=" if goal.at_most else ">=") + texts.get(goal.figure, _relative_text(goal.bound))


def left_out_lines(left_out: Sequence[LeftOut]) -> str:
    """Return the engines left out and why, one line each."""
    reasons: dict[str, dict[str, None]] = {}
    for each in left_out:
        reasons.setdefault(each.engine, {})[each.reason] = None
    return "\n".join(f"left out: {engine}: {'; '.join(why)}" for engine, why in reasons.items())


def to_json(facts: dict[str, Any], rows: Sequence[Row], left_out: Sequence[LeftOut]) -> str:
    """Return the whole run as JSON."""
    results = [asdict(row) | {"met": row.met} for row in rows]
    found = {"machine": facts, "results": results, "left_out": [asdict(each) for each in left_out]}
    return json.dumps(found, indent=1)


def from_json(text: str) -> tuple[dict[str, Any], list[Row]]:
    """Return what the run was made on, and its rows, from what `to_json` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        For anything else.
    """
    found = json.loads(text)
    rows = []
    for fields in found["results"]:
        fields.pop("met", None)
        fields.setdefault("shape", None)
        for name, kind in (("shape", Shape), ("goal", Goal)):
            if fields.get(name) is not None:
                fields[name] = kind(**fields[name])
        rows.append(Row(**fields))
    return found["machine"], rows
