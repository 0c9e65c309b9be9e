"""One layer: whole sequences from toy to wide, and the costs of options.

An option is timed in turns with the plain cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lstmfast._bench.contest import Settings, Suite, layer_rows, own_call, timed_calls
from lstmfast._bench.options import OPTIONS, PLAIN, Option
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Call, Goal, Row, take_turns
from lstmfast._bench.shapes import OPTIONS_SHAPE, SHAPES, Shape

# On one thread; the last two columns are for forward and training. The best other engine is most
# often oneDNN, called directly.
GOALS = {
    (shape, mode): Goal(figure, bound)
    for shape, figure, *bounds in (
        ("toy", "ratio", 1.3, 1.3),
        ("audio", "ratio", 1.3, 1.3),
        ("small", "ratio", 1.4, 1.7),
        ("forecast", "ratio", 1.25, 1.7),
        ("medium", "peak_share", 0.90, 0.83),
        ("large", "peak_share", 0.93, 0.87),
        ("wide", "peak_share", 0.92, 0.88),
        ("b1_256", "ratio", 1.3, 1.3),
        ("b1_1024", "ratio", 1.3, 1.3),
    )
    for mode, bound in zip(("forward", "training"), bounds, strict=True)
}
AHEAD = Goal("ratio", 1.0)  # on more threads
_PLAIN = "lstmfast, plain"


def _run(settings: Settings, mode: str) -> Iterator[list[Row]]:
    for shape in settings.chosen(SHAPES):
        problem = make_problem(shape)
        calls = timed_calls(settings, problem, mode, shape.name)
        timings, peak = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        goal = GOALS.get((shape.name, mode)) if settings.threads == 1 else AHEAD
        yield layer_rows(shape.name, problem, mode, timings, peak * settings.threads, goal=goal)


def _run_options(settings: Settings) -> Iterator[list[Row]]:
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


FORWARD = Suite("forward", partial(_run, mode="forward"))
TRAINING = Suite("training", partial(_run, mode="training"))
OPTION_COSTS = Suite(
    "options",
    _run_options,
    relative="cost",
    legend=(
        "cost: lstmfast's time over that of its plain cell, which ran in the same turns "
        "(projection: a FLOP of its own)."
    ),
)
