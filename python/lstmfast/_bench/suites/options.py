"""What each option of the cell costs against the plain cell, in turns with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lstmfast._bench.contest import Settings, peak_share, timed_calls
from lstmfast._bench.options import OPTIONS, PLAIN, Option
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import take_turns
from lstmfast._bench.rows import Goal, Row, make_row, with_ratio
from lstmfast._bench.shapes import OPTIONS_SHAPE, Shape
from lstmfast._bench.suites.base import Suite

_PLAIN = "lstmfast, plain"


def _run(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen((OPTIONS_SHAPE,)):
        for mode in settings.modes:
            plain = _plain_call(settings, shape, mode)
            for option in OPTIONS:
                yield _against_plain(settings, shape, mode, option, plain)


def _plain_call(settings: Settings, shape: Shape, mode: str) -> Callable[[], object]:
    own = replace(settings, engines=[settings.own("lstmfast"), settings.own("numpy")])
    return timed_calls(own, make_problem(shape), mode, "plain")["lstmfast"]


def _against_plain(
    settings: Settings, shape: Shape, mode: str, option: Option, plain: Callable[[], object]
) -> list[Row]:
    problem = make_problem(shape, option)
    calls = timed_calls(settings, problem, mode, option.name)
    timings, peak = take_turns(
        {_PLAIN: plain, **calls},
        settings.seconds,
        settle=settings.threads > 1,
        double=option.dtype == "float64",
    )
    plain_timing = timings.pop(_PLAIN)
    rows = []
    for engine, timing in timings.items():
        row = make_row("options", option.name, mode, engine, timing, shape=shape)
        share = peak_share(problem, mode, timing.median, peak, settings.threads)
        row = replace(row, peak_share=share)
        if engine == "lstmfast":
            cost = timing.over(plain_timing)
            if option.per_flop:
                cost *= PLAIN.forward_flops(shape) / option.forward_flops(shape)
            bound = option.goal
            if settings.threads > 1 and option.goal_threads is not None:
                bound = option.goal_threads
            goal = None if bound is None else Goal("relative", bound, at_most=True)
            note = f"plain {plain_timing.median * 1e6:.1f} us at {shape.text}"
            row = replace(row, relative=cost, goal=goal, note=note)
        rows.append(row)
    return with_ratio(rows)


OPTION_COSTS = Suite(
    "options",
    _run,
    relative="cost",
    legend=(
        "cost: lstmfast's time over that of its plain cell, which ran in the same turns "
        "(projection: a FLOP of its own)."
    ),
    figure="relative",
)
