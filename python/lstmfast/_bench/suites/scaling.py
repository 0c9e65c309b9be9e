"""lstmfast's time by T, B, H and the number of threads; no rivals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, layer_rows, own_call
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Call, Goal, Row, take_turns, threads_text
from lstmfast._bench.shapes import SCALING_SHAPE, SHAPES, Shape

LONGER = (1, 3, 10, 30, 100)  # times T
BATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 33, 48, 64, 65, 96, 128, 130)
UNITS = (
    16, 20, 32, 33, 48, 50, 64, 65, 96, 100, 128, 129, 192, 250, 256, 257, 300, 384, 400, 500, 512,
    513, 640, 768, 1000, 1024, 1100,
)  # fmt: skip
# Shares of the speed per useful FLOP of the size before: a tail costs at most 10, 15 or 30 % more.
TAILS = {"B=33": 1 / 1.10, "H=257": 1 / 1.15, "H=50": 1 / 1.30}
NEIGHBOUR = 0.8
LENGTH = 0.9
TWO_THREADS = 1.85
SCALING_WELL = ("medium", "large", "wide", "b1_1024")


def _run(settings: Settings) -> Iterator[list[Row]]:
    for base in settings.chosen((SCALING_SHAPE,)):
        lengths = [base.T * factor for factor in LONGER]
        for mode in settings.modes:
            yield from _sizes(settings, base, mode, "T", lengths)
            yield from _sizes(settings, base, mode, "B", BATCHES)
            yield from _sizes(settings, base, mode, "H", UNITS)
    for shape in settings.chosen(SHAPES if settings.threads > 1 else ()):
        for mode in settings.modes:
            yield from _threads(settings, shape, mode)


def _sizes(
    settings: Settings, base: Shape, mode: str, name: str, sizes: Sequence[int]
) -> Iterator[list[Row]]:
    """Lengths in turns with the base's, other sizes with the one before.

    Relative is the speed per useful FLOP against that.
    """
    other: tuple[Call, float] | None = None
    if name == "T":
        problem = make_problem(base)
        other = own_call(settings, problem, mode), problem.flops(mode)
    for size in sizes:
        case, problem = f"{name}={size}", make_problem(Shape(**{**asdict(base), name: size}))
        call, work = own_call(settings, problem, mode), problem.flops(mode)
        calls = {"lstmfast": call} if other is None else {"other": other[0], "lstmfast": call}
        timings, peak = take_turns(calls, settings.seconds)
        more: dict[str, Any] = {}
        if other is not None:
            speed = timings.pop("other").over(timings["lstmfast"]) * work / other[1]
            bound = LENGTH if name == "T" else TAILS.get(case, NEIGHBOUR)
            more = {"relative": speed, "goal": Goal("relative", bound)}
        yield layer_rows(case, problem, mode, timings, peak * settings.threads, **more)
        if name != "T":
            other = call, work


def _threads(settings: Settings, shape: Shape, mode: str) -> Iterator[list[Row]]:
    """Numbers of threads in turns; relative is one thread's time over this one's."""
    problem = make_problem(shape)
    calls = dict.fromkeys(range(1, settings.threads + 1), own_call(settings, problem, mode))
    timings, peak = take_turns(calls, settings.seconds, before=lf.set_num_threads, settle=True)
    for n, timing in timings.items():
        bound = TWO_THREADS if n == 2 and shape.name in SCALING_WELL else 1.0
        goal = None if n == 1 else Goal("relative", bound)
        case, kept = f"{shape.name}, {threads_text(n)}", timings[1].over(timing)
        own = {"lstmfast": timing}
        yield layer_rows(case, problem, mode, own, peak * n, relative=kept, goal=goal)


SCALING = Suite(
    "scaling",
    _run,
    relative="keeps",
    legend=(
        "keeps: T: speed of a step against the shortest; B and H: speed per useful FLOP against "
        "the size\nbefore; threads: times one thread's speed, up to --threads. lstmfast alone."
    ),
)
