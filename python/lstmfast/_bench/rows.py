"""One line of a benchmark's table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lstmfast._bench.protocol import Timing
from lstmfast._bench.shapes import Shape


@dataclass(frozen=True)
class Goal:
    """A bound for one of a row's figures, on a machine with AVX-512."""

    figure: str  # "ratio", "peak_share", "relative" or "value"
    bound: float
    at_most: bool = False


@dataclass(frozen=True)
class Row:
    """One engine's result for one case: a median with quartiles, and comparisons.

    Attributes
    ----------
    unit : str
        Of value, low and high: "s", "B" (bytes), "FLOP/s", "B/s" or "1/s".
    peak_share : float or None
        The share of the FMA peak of all threads, measured in the same run.
    ratio : float or None
        On lstmfast's rows: the best other engine's time over its own.
    relative : float or None
        The suite's own figure: cost against the plain cell, efficiency, ...
    note : str
        A remark.
    """

    suite: str
    case: str
    shape: Shape | None
    mode: str
    engine: str
    unit: str
    value: float
    low: float
    high: float
    samples: int
    peak_share: float | None = None
    ratio: float | None = None
    relative: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """The case, with its sizes where they differ from case to case."""
        if self.shape is None or self.suite in ("options", "scaling", "threads", "memory"):
            return self.case
        return f"{self.case} {self.shape.text}"

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        value = None if self.goal is None else getattr(self, self.goal.figure)
        if self.goal is None or value is None:
            return None
        return bool(value <= self.goal.bound if self.goal.at_most else value >= self.goal.bound)


def make_row(
    case: str,
    mode: str,
    timing: Timing,
    engine: str = "lstmfast",
    *,
    shape: Shape | None = None,
    unit: str = "s",
    goal: Goal | None = None,
    **more: Any,
) -> Row:
    """Return the row of a timing, still without suite and ratio.

    Goals are for lstmfast alone; `more` are further fields of `Row`.
    """
    numbers = (timing.median, *timing.quartiles, len(timing.values))
    goal = goal if engine == "lstmfast" else None
    return Row("", case, shape, mode, engine, unit, *numbers, goal=goal, **more)


def completed(suite: str, rows: list[Row]) -> list[Row]:
    """Return the rows of one case and mode with their suite, and lstmfast's with its ratio."""
    others = [row.value for row in rows if row.engine != "lstmfast"]
    ratios = [
        min(others) / row.value if others and row.engine == "lstmfast" else None for row in rows
    ]
    return [replace(row, suite=suite, ratio=r) for row, r in zip(rows, ratios, strict=True)]


def threads_text(threads: int) -> str:
    """Return a number of threads in words."""
    return f"{threads} thread" + ("s" if threads > 1 else "")
