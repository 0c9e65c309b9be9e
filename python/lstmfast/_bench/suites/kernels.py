"""The kernels that can be called one by one, against their own limits.

Limits: fused multiply-adds a second, and bytes read a second from each cache, by the dot product
of BLAS. The parts of a training step are run by the core itself, on warm data.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, timed_calls
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import PEAK_SECONDS, Timing, take_turns
from lstmfast._bench.rows import Goal, Row, make_row
from lstmfast._bench.shapes import NAMED
from lstmfast._bench.suites.base import Suite
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
    """Return the sizes of the caches that the core knows of."""
    units = {"KiB": 1 << 10, "MiB": 1 << 20}
    found = {}
    for name in CACHES:
        match = re.fullmatch(r"(\d+) (KiB|MiB)", config().get(name, ""))
        if match:
            found[name] = int(match[1]) * units[match[2]]
    return found


def read_bandwidth(size: int, seconds: float) -> Timing:
    """Return bytes a second that one BLAS thread reads repeatedly from arrays of this size."""
    one, other = np.ones((2, max(64, size // 8)), np.float32)
    # the calls' own cost is the same for a quarter of the arrays
    quarter = len(one) // 4
    calls = {"all": partial(np.dot, one, other)}
    calls["quarter"] = partial(np.dot, one[:quarter], other[:quarter])
    timings, _ = take_turns(calls, seconds)
    pairs = zip(timings["all"].values, timings["quarter"].values, strict=True)
    beyond = Timing(tuple(whole - part for whole, part in pairs))
    if min(beyond.values) <= 0.0:  # lost in noise
        return _rate(timings["all"], 8.0 * len(one))
    return _rate(beyond, 8.0 * (len(one) - quarter))


def _rate(timing: Timing, work: float) -> Timing:
    """Return a time for `work` as work a second."""
    return Timing(tuple(work / value for value in timing.values))


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(1)
    peaks = {}
    for dtype in ("float32", "float64"):
        values = []
        for _ in range(ROUNDS):
            values.append(testing.fma_peak(dtype == "float64", PEAK_SECONDS))
            time.sleep(PEAK_SECONDS)
        peaks[dtype] = Timing(tuple(values))
        yield [
            make_row("kernels", f"FMA, {dtype}", "limit", "lstmfast", peaks[dtype], unit="FLOP/s")
        ]
    sizes = cache_bytes()
    places = {f"read, half of {name.upper()}": size // 2 for name, size in sizes.items()}
    places["read, memory"] = 8 * max(sizes.values(), default=1 << 25)
    for case, size in places.items():
        timing = read_bandwidth(size, settings.seconds)
        row = make_row("kernels", case, "limit", "numpy", timing, unit="B/s")
        yield [replace(row, note=f"{size >> 10} KiB")]
    yield from _activations(settings)
    yield from _training_parts(
        peaks["float32"].median, read_bandwidth(sizes.get("l2", 1 << 20) // 2, 0.2)
    )
    if settings.threads > 1:
        yield _barrier(settings.threads)
    yield from _layers(replace(settings, threads=1), peaks["float32"].median)


def _training_parts(peak: float, bandwidth: Timing) -> Iterator[list[Row]]:
    """Time the parts of training; relative is the share of the multiply-adds or the bytes."""
    for shape in (shape for shape in NAMED if shape.name in ARITHMETIC):
        B, I, H = shape.B, shape.I, shape.H
        # work, its unit, and the limit of that unit
        works: dict[str, tuple[float, str, float | None]] = {
            "back_through_time": (8.0 * B * H * H, "FLOP/s", peak),
            "weight_gradient": (8.0 * B * H * (I + H), "FLOP/s", peak),
            "transpose": (16.0 * H * (I + H), "B/s", bandwidth.median),
            "layer_norm": (5.0 * B * H, "1/s", None),  # four gates and c
        }
        for name in testing.training_part_names():
            work, unit, limit = works[name]
            time_part = partial(testing.time_training_part, name, B, I, H)
            count = max(1, int(PART_SECONDS / time_part(1)))
            timing = Timing(tuple(time_part(count) for _ in range(ROUNDS)))
            rate = _rate(timing, work)
            case = f"{name.replace('_', ' ')}, {shape.name}"
            row = make_row("kernels", case, "limit", "lstmfast", rate, unit=unit)
            note = "of the FMA peak" if limit == peak else "read, of reading half of L2"
            yield [row if limit is None else replace(row, relative=rate.median / limit, note=note)]


def _barrier(threads: int) -> list[Row]:
    """Time the barrier of the team's threads."""
    lf.set_num_threads(threads)
    timing = Timing(tuple(testing.time_barrier(threads, BARRIERS) for _ in range(ROUNDS)))
    lf.set_num_threads(1)
    case, rate = f"barrier, {threads} threads", _rate(timing, 1.0)
    row = make_row("kernels", case, "limit", "lstmfast", rate, unit="1/s")
    return [replace(row, goal=Goal("value", 1.0 / 150e-9) if threads == 2 else None)]


def _activations(settings: Settings) -> Iterator[list[Row]]:
    """Time vector functions alone."""
    x = np.linspace(-4.0, 4.0, VALUES, dtype=np.float32)
    calls = {name: partial(testing.activate, name, x) for name in ACTIVATIONS}
    timings, _ = take_turns(calls, settings.seconds)
    for name, timing in timings.items():
        rate = _rate(timing, float(VALUES))
        row = make_row("kernels", name, "forward", "lstmfast", rate, unit="1/s")
        yield [replace(row, note=f"{VALUES} values a call, Python's cost included")]


def _layers(settings: Settings, peak: float) -> Iterator[list[Row]]:
    """Relative is the share of the limit: multiply-adds, or for one row the reading of weights."""
    own = replace(settings, engines=[settings.own("lstmfast"), settings.own("numpy")])
    for shape in (shape for shape in NAMED if shape.name in (*ARITHMETIC, *READING)):
        problem = make_problem(shape)
        weights = 4.0 * sum(value.size for value in problem.params[0].values())
        for mode in settings.modes if shape.name in ARITHMETIC else ("forward",):
            call = timed_calls(own, problem, mode, shape.name)["lstmfast"]
            timings, _ = take_turns({"lstmfast": call}, settings.seconds)
            if shape.name in ARITHMETIC:
                passes = 1.0 if mode == "forward" else 3.0
                work, unit, limit = problem.option.forward_flops(shape) * passes, "FLOP/s", peak
                note = "of the FMA peak"
            else:
                work, unit = weights * shape.T, "B/s"
                limit = read_bandwidth(int(weights), settings.seconds).median
                note = f"of reading {int(weights) >> 10} KiB over and over"
            rate = _rate(timings["lstmfast"], work)
            row = make_row("kernels", shape.name, mode, "lstmfast", rate, shape=shape, unit=unit)
            yield [replace(row, relative=rate.median / limit, note=note)]


KERNELS = Suite(
    "kernels",
    _run,
    relative="limit",
    legend="One thread, the barrier with more. limit: share of the limit that the note names.",
    figure="relative",
    takes_shapes=False,
)
