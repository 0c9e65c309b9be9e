"""One streaming step of one row, called from Python with the state carried on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lstmfast._bench.answers import Answers, check_answers
from lstmfast._bench.contest import Settings, expected_answers
from lstmfast._bench.engines import Engine
from lstmfast._bench.problems import Problem, make_problem
from lstmfast._bench.protocol import Call, take_turns
from lstmfast._bench.rows import Row, make_row
from lstmfast._bench.shapes import STEP_SHAPES
from lstmfast._bench.suites.base import Suite


def _run(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen(STEP_SHAPES):
        problem = make_problem(shape)
        expected = expected_answers(settings, problem, "forward")
        make = partial(_checked, problem, settings.threads, expected)
        calls = settings.enter(shape.name, "step", make)
        timings, _ = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        yield [
            make_row(shape.name, "step", t, engine, shape=shape) for engine, t in timings.items()
        ]


def _checked(problem: Problem, threads: int, expected: Answers, engine: Engine) -> Call:
    """Return an engine's first step, after the outputs of all have been compared."""
    step, shape = engine.stepper(problem, threads), problem.shape
    y = [np.array(step(t)).reshape(shape.B, shape.H) for t in range(shape.T)]
    check_answers(problem, engine.name, {"y": np.stack(y, axis=1)}, expected)
    return partial(step, 0)


STEP = Suite("step", _run, legend="One step a call; T is how many the answers were checked for.")
