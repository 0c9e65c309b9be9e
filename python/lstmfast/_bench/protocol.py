"""Timing of calls against each other, in turns and each with warm data; rows of the medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from lstmfast._bench.shapes import Shape
from lstmfast._core import testing

Call = Callable[[], object]
Key = TypeVar("Key")

SAMPLE_SECONDS = 0.005  # a sample repeats a call until it lasts about this long
PEAK_SECONDS = 0.01
LEAST_ROUNDS = 5
# Threads of some engines keep spinning for a while after a call; this must not slow down the next
# engine.
SETTLE_SECONDS = 0.1


@dataclass(frozen=True)
class Timing:
    """Samples of one call, one a turn: seconds or another quantity."""

    values: npt.NDArray[np.float64]

    @property
    def median(self) -> float:
        """The value that half of the samples exceed."""
        return float(np.median(self.values))

    def over(self, other: Timing) -> float:
        """Return the median ratio to the other call's sample of the same turn.

        A slowdown of the machine that lasts longer than a turn cancels out.
        """
        return float(np.median(self.values / other.values))


def time_call(call: Call, repeats: int) -> float:
    """Return the seconds of one call, averaged over `repeats` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def take_turns(
    calls: Mapping[Key, Call],
    seconds: float,
    *,
    before: Callable[[Key], object] | None = None,
    settle: bool = False,
    double: bool = False,
) -> tuple[dict[Key, Timing], float]:
    """Time calls in turns for about `seconds`; `before(key)` precedes a turn, and is not timed.

    Returns
    -------
    timings : dict
        One a call.
    peak : float
        FLOP/s of fused multiply-adds of one thread, measured between the turns; with `double` in
        float64.
    """

    def warm(key: Key) -> float:
        if before is not None:
            before(key)
        return time_call(calls[key], 1)

    repeats = {}
    for key in calls:
        warm(key)
        repeats[key] = max(1, int(SAMPLE_SECONDS / max(warm(key), 1e-9)))
    samples: dict[Key, list[float]] = {key: [] for key in calls}
    peaks: list[float] = []
    end = time.perf_counter() + seconds
    while len(peaks) < LEAST_ROUNDS or time.perf_counter() < end:
        peaks.append(testing.fma_peak(double, PEAK_SECONDS))
        for key, call in calls.items():
            if settle:
                time.sleep(SETTLE_SECONDS)
            warm(key)  # its data back into the cache
            samples[key].append(time_call(call, repeats[key]))
    timings = {key: Timing(np.array(values)) for key, values in samples.items()}
    return timings, float(np.median(peaks))


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
        Of value, low and high: "s", shown in us, "seconds", shown as they are, "B" (bytes),
        "FLOP/s", "B/s" or "1/s".
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
    low, high = np.quantile(timing.values, (0.25, 0.75)).tolist()
    numbers = (timing.median, low, high, len(timing.values))
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
