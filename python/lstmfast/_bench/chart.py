"""A picture of a run: a panel a suite and mode, a bar a case; only this needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._bench.contest import Suite
from lstmfast._bench.protocol import Row, threads_text
from lstmfast._cli.common import UserError
from lstmfast.plot.looks import BLUE, INK, RED, content, new_figure, style

_WIDTH, _BAR, _FRAME, _COLUMNS = 9.0, 0.26, 0.95, 2  # inches; the width of a README page
_TICKS = [m * 10.0**k for k in range(-3, 6) for m in (1, 2, 5)]
_TITLES = {
    "ratio": "times as fast as the best other engine",
    "cost": "time against the plain cell (line: goal; red: missed)",
    "keeps": "speed kept (line: goal; red: missed)",
    "x H": "values kept a unit, row and step (line: goal)",
    "time": "time against one thread's (line: goal; red: missed)",
    "limit": "share of the limit",
}

Panel = tuple[Suite, str, list[tuple[Row, str]]]


def draw(facts: dict[str, Any], suites: Sequence[Suite], rows: Sequence[Row], kind: str) -> bytes:
    """Return the picture as a file's content.

    Raises
    ------
    UserError
        Where no row has anything to compare to.
    """
    panels = _panels(suites, rows)
    if not panels:
        raise UserError("nothing to draw: no other engine took part")
    lines = [panels[i : i + _COLUMNS] for i in range(0, len(panels), _COLUMNS)]
    heights = [max(len(bars) for _, _, bars in line) * _BAR + _FRAME for line in lines]
    figure = new_figure(_WIDTH, sum(heights) + 0.5)
    grid = figure.add_gridspec(len(lines), min(_COLUMNS, len(panels)), height_ratios=heights)
    for i, line in enumerate(lines):
        for j, panel in enumerate(line):
            _draw_panel(figure.add_subplot(grid[i, j]), *panel)
    threads = threads_text(facts["threads"])
    title = f"lstmfast on {facts['cpu']} ({facts['isa']}), {threads}, {facts['date']}"
    figure.suptitle(title, color=INK, fontsize=11, x=0.01, ha="left")
    return content(figure, kind)


def _panels(suites: Sequence[Suite], rows: Sequence[Row]) -> list[Panel]:
    """Return each suite's bars by mode, each with a text about the best rival."""
    slowest_first = sorted(rows, key=lambda row: -row.value)
    rivals = {_case(row): row.engine for row in slowest_first if row.engine != "lstmfast"}
    panels: dict[tuple[str, str], Panel] = {}
    for suite in suites:
        for row in rows:
            value = getattr(row, suite.figure)
            if row.suite == suite.name and value is not None and value > 0.0:
                label = rivals.get(_case(row), "") if suite.figure == "ratio" else ""
                _, _, bars = panels.setdefault((suite.name, row.mode), (suite, row.mode, []))
                bars.append((row, label))
    return list(panels.values())


def _case(row: Row) -> tuple[str, str, str]:
    return row.suite, row.case, row.mode


def _draw_panel(axes: Any, suite: Suite, mode: str, bars: list[tuple[Row, str]]) -> None:
    values = [float(getattr(row, suite.figure)) for row, _ in bars]
    places = range(len(bars))
    by_ratio = suite.figure == "ratio"
    bad = [
        value < 1.0 and not row.met if by_ratio else row.met is False
        for value, (row, _) in zip(values, bars, strict=True)
    ]
    colours = [RED if each else BLUE for each in bad]
    if by_ratio:
        axes.set_xscale("log")
        low, high = min(0.8, 0.9 * min(values)), max(2.0, 6.0 * max(values))
        axes.set_xlim(low, high)
        axes.set_xticks([tick for tick in _TICKS if low < tick < high])
        axes.barh(places, [value - 1.0 for value in values], left=1.0, color=colours, height=0.66)
        axes.axvline(1.0, color=INK, linewidth=0.8)
    else:
        axes.barh(places, values, color=colours, height=0.66)
        bounds = [row.goal.bound for row, _ in bars if row.goal and row.goal.figure == "relative"]
        axes.set_xlim(0.0, 1.25 * max(values + bounds))
    for place, value, colour, (row, label) in zip(places, values, colours, bars, strict=True):
        axes.annotate(
            f"{value:.2f}{'x' if by_ratio else ''} {label}",
            (max(value, 1.0) if by_ratio else value, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour if colour == RED else INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.85},
        )
        if row.goal is not None and row.goal.figure == suite.figure == "relative":
            axes.plot([row.goal.bound] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=1.2)
    axes.set_yticks(list(places), [row.label for row, _ in bars], fontsize=8)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    heading = suite.name if mode in (suite.name, "fit") else f"{suite.name}, {mode}"
    style(axes, heading, "x", ticks=8, fontsize=10, fontweight="bold")
    axes.set_xlabel(_TITLES["ratio" if by_ratio else suite.relative], fontsize=8, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    axes.xaxis.set_minor_formatter(lambda x, _: "")
