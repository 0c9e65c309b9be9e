"""The kernels that can be called one by one, against their own limits.

Limits: fused multiply-adds a second, and bytes read a second from each cache, by the dot product
of BLAS. The parts of a training step are run by the core itself, on warm data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, own_call
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import PEAK_SECONDS, Goal, Row, Timing, make_row, take_turns
from lstmfast._bench.shapes import choose_shapes
from lstmfast._core import config, testing

ROUNDS = 9
CACHES = ("l1d", "l2", "l3")
ACTIVATIONS = ("tanh", "sigmoid", "relu", "softsign", "hard_sigmoid", "gelu")
VALUES = 4096  # of one call: in and out fit the first cache
ARITHMETIC = ("small", "medium", "large")
READING = ("b1_256", "b1_1024")
PART_SECONDS = 0.003  # of one sample
BARRIERS = 50_000  # of one sample


def cache_bytes() -> dict[str, int]:
    """Return the sizes of the caches."""
    return {name: int(config()[name].removesuffix(" KiB")) << 10 for name in CACHES}


def read_bandwidth(size: int, seconds: float) -> Timing:
    """Return bytes a second that one BLAS thread reads repeatedly from arrays of this size."""
    one, other = np.ones((2, max(64, size // 8)), np.float32)
    # the calls' own cost is the same for a quarter of the arrays
    quarter = len(one) // 4
    calls = {"all": partial(np.dot, one, other)}
    calls["quarter"] = partial(np.dot, one[:quarter], other[:quarter])
    timings, _ = take_turns(calls, seconds)
    beyond = Timing(timings["all"].values - timings["quarter"].values)
    if beyond.values.min() <= 0.0:  # lost in noise
        return _rate(timings["all"], 8.0 * len(one))
    return _rate(beyond, 8.0 * (len(one) - quarter))


def _rate(timing: Timing, work: float) -> Timing:
    """Return a time for `work` as work a second."""
    return Timing(work / timing.values)


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(1)
    yield from (peaks := fma_peaks())
    peak = peaks[0][0].value
    sizes = cache_bytes()
    places = {f"read, half of {name.upper()}": size // 2 for name, size in sizes.items()}
    places["read, memory"] = 8 * max(sizes.values())
    for case, size in places.items():
        timing = read_bandwidth(size, settings.seconds)
        yield [make_row(case, "limit", timing, "numpy", unit="B/s", note=f"{size >> 10} KiB")]
    yield from _activations(settings)
    yield from _training_parts(peak, read_bandwidth(sizes["l2"] // 2, 0.2).median)
    if settings.threads > 1:
        yield time_barrier(settings.threads)
    yield from _layers(replace(settings, threads=1), peak)


def fma_peaks() -> list[list[Row]]:
    """Measure the multiply-adds of one thread in float32 and float64."""
    rates = {dtype: _sampled(_fma_peak, dtype == "float64") for dtype in ("float32", "float64")}
    return [[make_row(f"FMA, {d}", "limit", rate, unit="FLOP/s")] for d, rate in rates.items()]


def _sampled(measure: Callable[..., float], *arguments: object) -> Timing:
    return Timing(np.array([measure(*arguments) for _ in range(ROUNDS)]))


def _fma_peak(double: bool) -> float:
    time.sleep(PEAK_SECONDS)
    return float(testing.fma_peak(double, PEAK_SECONDS))


def _training_parts(peak: float, bandwidth: float) -> Iterator[list[Row]]:
    """Time the parts of training; the limit is that of the multiply-adds or of the bytes."""
    for shape in choose_shapes(ARITHMETIC):
        B, I, H = shape.B, shape.I, shape.H
        of_peak, of_reading = "of the FMA peak", "read, of reading half of L2"
        # work, its unit, the limit, and what that is
        works: dict[str, tuple[float, str, float | None, str]] = {
            "back_through_time": (8.0 * B * H * H, "FLOP/s", peak, of_peak),
            "weight_gradient": (8.0 * B * H * (I + H), "FLOP/s", peak, of_peak),
            "transpose": (16.0 * H * (I + H), "B/s", bandwidth, of_reading),
            "layer_norm": (5.0 * B * H, "1/s", None, ""),  # four gates and c
        }
        for name in testing.training_part_names():
            work, unit, limit, note = works[name]
            time_part = partial(testing.time_training_part, name, B, I, H)
            rate = _rate(_sampled(time_part, max(1, int(PART_SECONDS / time_part(1)))), work)
            case = f"{name.replace('_', ' ')}, {shape.name}"
            share = None if limit is None else rate.median / limit
            yield [make_row(case, "limit", rate, unit=unit, relative=share, note=note)]


def time_barrier(threads: int) -> list[Row]:
    """Time the barrier of the team's threads."""
    lf.set_num_threads(threads)
    rate = _rate(_sampled(testing.time_barrier, threads, BARRIERS), 1.0)
    lf.set_num_threads(1)
    goal = Goal("value", 1.0 / 150e-9) if threads == 2 else None
    return [make_row(f"barrier, {threads} threads", "limit", rate, unit="1/s", goal=goal)]


def _activations(settings: Settings) -> Iterator[list[Row]]:
    """Time vector functions alone."""
    x = np.linspace(-4.0, 4.0, VALUES, dtype=np.float32)
    calls = {name: partial(testing.activate, name, x) for name in ACTIVATIONS}
    timings, _ = take_turns(calls, settings.seconds)
    note = f"{VALUES} values a call, Python's cost included"
    for name, timing in timings.items():
        yield [make_row(name, "forward", _rate(timing, VALUES), unit="1/s", note=note)]


def _layers(settings: Settings, peak: float) -> Iterator[list[Row]]:
    """Relative is the share of the limit: multiply-adds, or for one row the reading of weights."""
    for shape in choose_shapes((*ARITHMETIC, *READING)):
        problem = make_problem(shape)
        weights = 4 * sum(value.size for value in problem.params[0].values())
        for mode in settings.modes if shape.name in ARITHMETIC else ("forward",):
            call = own_call(settings, problem, mode)
            timings, _ = take_turns({"lstmfast": call}, settings.seconds)
            if shape.name in ARITHMETIC:
                work, unit, limit = problem.flops(mode), "FLOP/s", peak
                note = "of the FMA peak"
            else:
                work, unit = weights * shape.T, "B/s"
                limit = read_bandwidth(weights, settings.seconds).median
                note = f"of reading {weights >> 10} KiB over and over"
            rate = _rate(timings["lstmfast"], work)
            more: dict[str, Any] = {"relative": rate.median / limit, "note": note}
            yield [make_row(shape.name, mode, rate, shape=shape, unit=unit, **more)]


KERNELS = Suite(
    "kernels",
    _run,
    relative="limit",
    legend="One thread, the barrier with more. limit: share of the limit that the note names.",
    takes_shapes=False,
)
