"""Timing of calls against each other: in turns, each with warm data, by medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

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

    @property
    def quartiles(self) -> tuple[float, float]:
        """The quartiles of the samples."""
        low, high = np.quantile(self.values, (0.25, 0.75))
        return float(low), float(high)

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
