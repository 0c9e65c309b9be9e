"""How engines are timed against each other: the same work, answers first, turn by turn, medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstmfast import _core
from lstmfast._bench.engines import Engine, Gradients, Runner
from lstmfast._bench.shapes import Array, Shape, make_problem

SAMPLE_SECONDS = 0.005  # a sample repeats a call until it lasts about this long
PEAK_SECONDS = 0.01
# Threads of some engines spin on for a while after their call; they shall not spin in another's.
SETTLE_SECONDS = 0.1


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the median of the samples, and the quartiles around it."""

    median: float
    low: float
    high: float
    samples: int


@dataclass(frozen=True)
class Result:
    """One engine on one shape, in one mode ("forward" or "training")."""

    shape: Shape
    mode: str
    engine: str
    timing: Timing
    peak: float  # measured FLOP/s of one thread, in the same run

    def peak_share(self, threads: int) -> float:
        """Return the part of the threads' measured FMA peak that the call reached."""
        flops = self.shape.forward_flops * (3.0 if self.mode == "training" else 1.0)
        return flops / self.timing.median / (self.peak * threads)


def allowed_difference(shape: Shape, scale: float) -> float:
    """Return how far two float32 engines may differ in values of size `scale`.

    Each pre-activation sums I + H terms and T steps follow each other; independent roundings
    grow with the square root of their number. Gradients of weights sum B·T more.
    """
    terms = (shape.I + shape.H) * shape.T * max(shape.B, 4)
    return float(64 * np.finfo(np.float32).eps * np.sqrt(terms) * max(scale, 1e-3))


def check_equal(shape: Shape, what: str, engine: str, got: Array, expected: Array) -> None:
    """Stop the benchmark if an engine computes something else."""
    worst = float(np.max(np.abs(np.asarray(got, np.float64) - expected)))
    limit = allowed_difference(shape, float(np.max(np.abs(expected))))
    if got.shape != expected.shape or not worst <= limit:
        raise RuntimeError(
            f"[bench] {engine} at {shape.name} {shape.text}: {what} differs by {worst:.3g} from "
            f"the reference; at most {limit:.3g} is rounding"
        )


def check_answers(shape: Shape, runners: Sequence[tuple[str, Runner]]) -> None:
    """Compare every engine's y and gradients with the NumPy reference's."""
    truth: Runner = dict(runners)["numpy"]
    y = truth.output()
    grads: Gradients = truth.gradients()
    for name, runner in runners:
        check_equal(shape, "y", name, runner.output(), y)
        mine = runner.gradients()
        for field in ("dx", "dw_ih", "dw_hh", "dbias"):
            check_equal(shape, field, name, getattr(mine, field), getattr(grads, field))


def time_call(call: Callable[[], object], repeats: int) -> float:
    """Return the seconds of one call, averaged over `repeats` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def compare(
    shape: Shape,
    engines: Sequence[Engine],
    modes: Sequence[str],
    threads: int,
    seconds: float,
) -> list[Result]:
    """Time the engines on one shape, turn by turn, for about `seconds` a mode."""
    problem = make_problem(shape)
    runners = [(engine.name, engine.prepare(problem, threads)) for engine in engines]
    check_answers(shape, runners)
    results = []
    for mode in modes:
        calls = [(n, r.train if mode == "training" else r.forward) for n, r in runners]
        repeats = {}
        for name, call in calls:
            call()
            once = time_call(call, 1)
            repeats[name] = max(1, int(SAMPLE_SECONDS / max(once, 1e-9)))
        samples: dict[str, list[float]] = {name: [] for name, _ in calls}
        peaks: list[float] = []
        end = time.perf_counter() + seconds
        while len(peaks) < 5 or time.perf_counter() < end:
            peaks.append(_core.testing.fma_peak(False, PEAK_SECONDS))
            for name, call in calls:
                if threads > 1:
                    time.sleep(SETTLE_SECONDS)
                time_call(call, 1)  # its data back into the cache
                samples[name].append(time_call(call, repeats[name]))
        for name, values in samples.items():
            low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
            timing = Timing(float(median), float(low), float(high), len(values))
            results.append(Result(shape, mode, name, timing, float(np.median(peaks))))
    return results
