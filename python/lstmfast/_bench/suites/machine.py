"""What plans take from the CPU (`cpp/ops/plan.def`), and few rows beside what that allows.

With `LSTMFAST_PLAN` a plan of its own is the base that the others are set against.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, own_call
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Goal, Row, Timing, make_row, take_turns
from lstmfast._bench.shapes import Shape
from lstmfast._bench.suites.kernels import cache_bytes, fma_peaks, time_barrier
from lstmfast._core import testing

# One to eight rows against weights in L2, at its edge, in L3, and in memory where L3 is small.
ROWS = (1, 2, 4, 8)
WEIGHTS = ((32, 128), (32, 200), (64, 256), (128, 512), (256, 1024))
SHAPES = tuple(Shape(f"{B} rows", B, 100, I, H) for I, H in WEIGHTS for B in ROWS)
PLANNED = (1, 4)  # rows for which other plans are tried
# The other side of each choice that a plan makes for few rows.
PLANS = ("row_panels=2", "turns=0", "ahead_rows=0", "ahead_rows=8", "l3=1")
NO_BETTER = Goal("relative", 1.03, at_most=True)
SHARE = Goal("relative", 0.92)
SAMPLE_SECONDS = 0.002
VALUES = 4096  # of a call of an activation: in and out fit the first cache
OF_A_CELL = {"sigmoid": 3, "tanh": 2}  # a unit, row and step
NAPS, NAP_SECONDS = 50, 0.002


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(1)
    yield from fma_peaks()
    yield from _reading(settings)
    if settings.threads > 1:
        yield time_barrier(settings.threads)
        yield _waking(settings.threads)
    alone = replace(settings, threads=1)
    cell = _cell_seconds(alone)
    for shape in alone.chosen(SHAPES):
        yield _beside_limit(alone, shape, cell)
    for shape in alone.chosen(tuple(shape for shape in SHAPES if shape.B in PLANNED)):
        yield from _other_plans(alone, shape)


def _reading(settings: Settings) -> Iterator[list[Row]]:
    """Read memory of sizes around those of the caches, up and down in turns, and always up."""
    sizes = {name: size for name, size in cache_bytes().items() if size > 0}
    places = {f"half of {name.upper()}": size // 2 for name, size in sizes.items()}
    places |= {"L2": sizes["l2"], "twice L2": 2 * sizes["l2"], "memory": 4 * max(sizes.values())}
    for case, size in sorted(places.items(), key=lambda place: place[1]):
        calls, each = {}, max(1, int(SAMPLE_SECONDS * 50e9 / size))
        for way, turns in (("up and down", True), ("up", False)):
            calls[way] = partial(testing.Memory(size, turns=turns).read, each)
        timings, _ = take_turns(calls, settings.seconds)
        for way, timing in timings.items():
            rate = Timing(each * size / timing.values)
            note = f"{size >> 10} KiB"
            yield [make_row(f"read {case}, {way}", "limit", rate, unit="B/s", note=note)]


def _waking(threads: int) -> list[Row]:
    """Time a call that wakes the sleeping workers for work that is shared at once."""
    x = np.zeros(1 << 22, np.float32)  # as much as is shared in any case
    samples = []
    lf.set_num_threads(threads)
    for _ in range(NAPS):
        time.sleep(NAP_SECONDS)
        start = time.perf_counter()
        testing.activate("relu", x)
        asleep = time.perf_counter() - start
        start = time.perf_counter()
        testing.activate("relu", x)
        samples.append(asleep - (time.perf_counter() - start))
    lf.set_num_threads(1)
    note = "what a pass over 16 MiB takes longer with sleeping workers"
    return [make_row(f"waking {threads - 1}", "limit", Timing(np.array(samples)), note=note)]


def _cell_seconds(settings: Settings) -> float:
    """Return the seconds of the functions of a cell, a unit, row and step."""
    x = np.linspace(-4.0, 4.0, VALUES, dtype=np.float32)
    calls = {
        (name, size): partial(testing.activate, name, x[:size])
        for name in OF_A_CELL
        for size in (VALUES, VALUES // 4)  # the calls' own cost is the same for both
    }
    timings, _ = take_turns(calls, settings.seconds)
    return sum(
        count * (timings[name, VALUES].median - timings[name, VALUES // 4].median)
        for name, count in OF_A_CELL.items()
    ) / (VALUES - VALUES // 4)


def _beside_limit(settings: Settings, shape: Shape, cell: float) -> list[Row]:
    """Time inference in turns with a bare loop that reads R once a step.

    Relative is the share of the limit: the longer one of that loop and of the multiply-adds of h R,
    with those of x W and the functions of the cells added, each at its own speed.
    """
    B, T, I, H = shape.B, shape.T, shape.I, shape.H
    calls: dict[str, Any] = {"lstmfast": own_call(settings, make_problem(shape), "forward")}
    calls["reading"] = partial(testing.Memory(16 * H * H, turns=True).read, T)
    timings, peak = take_turns(calls, settings.seconds)
    products = 8.0 * B * T * H / peak
    reading = timings["reading"].values
    limit = np.maximum(reading, products * H) + products * I + B * T * H * cell
    share = Timing(limit).over(timings["lstmfast"])
    note = f"read R: {16e-9 * H * H * T / np.median(reading):.0f} GB/s"
    more: dict[str, Any] = {"relative": share, "goal": SHARE, "note": note}
    return [make_row(shape.name, "forward", timings["lstmfast"], shape=shape, **more)]


def _other_plans(settings: Settings, shape: Shape) -> Iterator[list[Row]]:
    """Time inference and training under each plan in turns; relative is the base's over this."""
    base = os.environ.get("LSTMFAST_PLAN", "")

    def use(plan: str) -> None:
        testing.set_plan(",".join(filter(None, (base, plan))))

    for mode in settings.modes:
        call = own_call(settings, make_problem(shape), mode)
        calls = dict.fromkeys(("", *PLANS), call)
        timings, _ = take_turns(calls, settings.seconds, before=use)
        use("")
        for plan in PLANS:
            gained = timings[""].over(timings[plan])
            more: dict[str, Any] = {"relative": gained, "goal": NO_BETTER}
            yield [make_row(plan, mode, timings[plan], shape=shape, **more)]


MACHINE = Suite(
    "machine",
    _run,
    relative="share",
    legend=(
        "share: inference of few rows: of the limit by reading R, multiply-adds and functions; of "
        "another plan:\nthe plan's time over this one's. One thread; barrier and waking with "
        "--threads. lstmfast alone."
    ),
)
