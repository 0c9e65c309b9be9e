"""One streaming step of one row, called from Python with the state carried on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lstmfast._bench.answers import check_answers
from lstmfast._bench.contest import Settings, expected_answers
from lstmfast._bench.engines import Engine, Stepper
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import take_turns
from lstmfast._bench.rows import Row, make_row, with_ratio
from lstmfast._bench.shapes import STEP_SHAPES
from lstmfast._bench.suites.base import Suite


def _run(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen(STEP_SHAPES):
        problem = make_problem(shape)
        expected = expected_answers(settings, problem, "forward")

        def checked(engine: Engine) -> Stepper:
            stepper = engine.stepper(problem, settings.threads)  # noqa: B023 (called at once)
            stepper.reset()
            steps = range(shape.T)  # noqa: B023
            y = np.stack([stepper.numpy(stepper.step(t)).copy() for t in steps], axis=1)
            check_answers(problem, engine.name, {"y": y}, expected)  # noqa: B023
            return stepper

        steppers = settings.enter(shape.name, "step", checked)
        calls = {name: partial(stepper.step, 0) for name, stepper in steppers.items()}
        timings, _ = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        yield with_ratio(
            [
                make_row("step", shape.name, "step", engine, timing, shape=shape)
                for engine, timing in timings.items()
            ]
        )


STEP = Suite("step", _run, legend="One step a call; T is how many the answers were checked for.")
