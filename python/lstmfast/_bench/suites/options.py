"""What each option of the cell costs against the plain cell, in turns with it."""

from __future__ import annotations

from collections.abc import Iterator

from lstmfast._bench.contest import Settings, Suite, layer_rows, own_call, timed_calls
from lstmfast._bench.options import OPTIONS, PLAIN, Option
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Call, Goal, Row, take_turns
from lstmfast._bench.shapes import OPTIONS_SHAPE, Shape

_PLAIN = "lstmfast, plain"


def _run(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen((OPTIONS_SHAPE,)):
        for mode in settings.modes:
            plain = own_call(settings, make_problem(shape), mode)
            for option in OPTIONS:
                yield _against_plain(settings, shape, mode, option, plain)


def _against_plain(
    settings: Settings, shape: Shape, mode: str, option: Option, plain: Call
) -> list[Row]:
    problem = make_problem(shape, option)
    calls = {_PLAIN: plain, **timed_calls(settings, problem, mode, option.name)}
    settle, double = settings.threads > 1, option.dtype == "float64"
    timings, peak = take_turns(calls, settings.seconds, settle=settle, double=double)
    plain_timing = timings.pop(_PLAIN)
    cost = timings["lstmfast"].over(plain_timing)
    if option.per_flop:
        cost *= PLAIN.forward_flops(shape) / option.forward_flops(shape)
    bound = option.goal
    if settings.threads > 1 and option.goal_threads is not None:
        bound = option.goal_threads
    goal = None if bound is None else Goal("relative", bound, at_most=True)
    note = f"plain {plain_timing.median * 1e6:.1f} us at {shape.text}"
    more = {"relative": cost, "goal": goal, "note": note}
    return layer_rows(option.name, problem, mode, timings, peak * settings.threads, **more)


OPTION_COSTS = Suite(
    "options",
    _run,
    relative="cost",
    legend=(
        "cost: lstmfast's time over that of its plain cell, which ran in the same turns "
        "(projection: a FLOP of its own)."
    ),
)
