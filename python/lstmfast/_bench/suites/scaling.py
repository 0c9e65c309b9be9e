"""lstmfast's time by T, B, H and the number of threads; no rivals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import lstmfast as lf
from lstmfast._bench.contest import Settings, peak_share, timed_calls
from lstmfast._bench.problems import Problem, make_problem
from lstmfast._bench.protocol import Timing, take_turns
from lstmfast._bench.rows import Goal, Row, make_row
from lstmfast._bench.shapes import SCALING_SHAPE, SHAPES, Shape
from lstmfast._bench.suites.base import Suite

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
    own = replace(settings, engines=[settings.own("lstmfast"), settings.own("numpy")])
    for base in settings.chosen((SCALING_SHAPE,)):
        for mode in settings.modes:
            yield from _lengths(own, base, mode)
            yield from _neighbours(own, mode, [(f"B={B}", replace(base, B=B)) for B in BATCHES])
            yield from _neighbours(own, mode, [(f"H={H}", replace(base, H=H)) for H in UNITS])
    for shape in settings.chosen(SHAPES if settings.threads > 1 else ()):
        for mode in settings.modes:
            yield _threads(own, shape, mode)


def _call(settings: Settings, problem: Problem, mode: str, case: str) -> Callable[[], object]:
    return timed_calls(settings, problem, mode, case)["lstmfast"]


def _row(
    settings: Settings, case: str, problem: Problem, mode: str, timing: Timing, peak: float
) -> Row:
    row = make_row("scaling", case, mode, "lstmfast", timing, shape=problem.shape)
    share = peak_share(problem, mode, timing.median, peak, settings.threads)
    return replace(row, peak_share=share)


def _lengths(settings: Settings, base: Shape, mode: str) -> Iterator[list[Row]]:
    """Longer sequences in turns with the shortest; relative is the speed of a step against it."""
    first = make_problem(base)
    first_call = _call(settings, first, mode, "T")
    for factor in LONGER:
        problem = make_problem(replace(base, T=base.T * factor))
        case = f"T={problem.shape.T}"
        calls = {"first": first_call, "this": _call(settings, problem, mode, case)}
        timings, peak = take_turns(calls, settings.seconds)
        kept = factor * timings["first"].over(timings["this"])
        row = _row(settings, case, problem, mode, timings["this"], peak)
        yield [replace(row, relative=kept, goal=Goal("relative", LENGTH))]


def _neighbours(
    settings: Settings, mode: str, cases: Sequence[tuple[str, Shape]]
) -> Iterator[list[Row]]:
    """Sizes in turns with the one before; relative is the speed per useful FLOP against it."""
    before: tuple[Callable[[], object], float] | None = None
    for case, shape in cases:
        problem = make_problem(shape)
        call, flops = _call(settings, problem, mode, case), problem.option.forward_flops(shape)
        calls = {"this": call} if before is None else {"this": call, "before": before[0]}
        timings, peak = take_turns(calls, settings.seconds)
        row = _row(settings, case, problem, mode, timings["this"], peak)
        if before is not None:
            speed = timings["before"].over(timings["this"]) * flops / before[1]
            goal = Goal("relative", TAILS.get(case, NEIGHBOUR))
            row = replace(row, relative=speed, goal=goal)
        before = call, flops
        yield [row]


def _threads(settings: Settings, shape: Shape, mode: str) -> list[Row]:
    """Numbers of threads in turns; relative is one thread's time over this one's."""
    problem = make_problem(shape)
    call = _call(settings, problem, mode, shape.name)
    numbers = range(1, settings.threads + 1)
    timings, peak = take_turns(
        dict.fromkeys(numbers, call),
        settings.seconds,
        before={n: partial(lf.set_num_threads, n) for n in numbers},
        settle=True,
    )
    lf.set_num_threads(settings.threads)
    rows = []
    for n, timing in timings.items():
        case = f"{shape.name}, {n} thread{'s' if n > 1 else ''}"
        row = make_row("scaling", case, mode, "lstmfast", timing)
        bound = TWO_THREADS if n == 2 and shape.name in SCALING_WELL else 1.0
        rows.append(
            replace(
                row,
                shape=shape,
                peak_share=peak_share(problem, mode, timing.median, peak, n),
                relative=timings[1].over(timing),
                goal=None if n == 1 else Goal("relative", bound),
            )
        )
    return rows


SCALING = Suite(
    "scaling",
    _run,
    relative="keeps",
    legend=(
        "keeps: T: speed of a step against the shortest; B and H: speed per useful FLOP against "
        "the size\nbefore; threads: times one thread's speed, up to --threads. lstmfast alone."
    ),
    figure="relative",
)
