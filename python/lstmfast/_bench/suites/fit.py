"""Trainings of toy models as in tutorials, and the cost of calls from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

import lstmfast as lf
from lstmfast._bench.answers import WrongAnswerError
from lstmfast._bench.contest import Settings
from lstmfast._bench.engines import Engine, Fitter, UnsupportedError
from lstmfast._bench.engines.vs_lstmfast import make_lstm
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Timing, take_turns, time_call
from lstmfast._bench.rows import Goal, Row, make_row, with_ratio
from lstmfast._bench.shapes import Shape
from lstmfast._bench.suites.base import Suite
from lstmfast._bench.tasks import TASKS, Task

CHECKED = 5  # epochs or calls whose losses are compared
# At most 4 batches each, sums of some 50 terms, in float32, if all errors had one sign.
LOSS_TOLERANCE = 4 * CHECKED * 50**0.5 * 6e-8
ROUNDS = 5
VERBOSE_GOAL = 20e-6  # an epoch
PREDICT_GOAL = 3e-6
CALL_GOAL = 0.7e-6
FEW, MANY = 3, 30  # steps, from which the cost of no steps follows


def _run(settings: Settings) -> Iterator[list[Row]]:
    for task in TASKS:
        fitters = settings.enter(task.name, "fit", partial(checked_fitter, settings, task))
        yield _whole_fits(settings, task, fitters)
        if task is TASKS[0]:
            yield _printing(settings, task, fitters)
            yield _predicting(settings, task, fitters)
    yield _calling(settings)


def checked_fitter(settings: Settings, task: Task, engine: Engine) -> Fitter:
    """Return an engine's model of the task, after its first losses have been compared."""
    fitter = engine.fitter(task, settings.threads)
    expected = settings.own("numpy").fitter(task, settings.threads).losses(CHECKED)
    got = fitter.losses(CHECKED)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=LOSS_TOLERANCE, atol=0.0):
        raise WrongAnswerError(
            f"{engine.name} at {task.name}: losses {got.tolist()} are not the reference's "
            f"{expected.tolist()}"
        )
    return fitter


def _whole_fits(settings: Settings, task: Task, fitters: dict[str, Fitter]) -> list[Row]:
    """Time all of the task, or as much of it as fits into the time, in turns."""
    parts = {}
    for name, fitter in fitters.items():
        once = time_call(partial(fitter.fit, CHECKED), 1) / CHECKED
        parts[name] = min(task.count, max(CHECKED, int(settings.seconds / ROUNDS / once)))
    samples: dict[str, list[float]] = {name: [] for name in fitters}
    for _ in range(ROUNDS):
        for name, fitter in fitters.items():
            seconds = time_call(partial(fitter.fit, parts[name]), 1)
            samples[name].append(seconds * task.count / parts[name])
    rows = []
    for name, values in samples.items():
        row = make_row("fit", task.name, "fit", name, Timing(tuple(values)))
        if name == "lstmfast":
            row = replace(row, goal=Goal("value", task.goal, at_most=True))
        if parts[name] < task.count:
            row = replace(row, note=f"from {parts[name]} of {task.count}")
        rows.append(row)
    return with_ratio(rows)


def _supported(
    settings: Settings, case: str, fitters: dict[str, Fitter], name: str
) -> dict[str, Callable[..., object]]:
    """Return a method of the fitters that have it."""

    def tried(engine: Engine) -> Callable[..., object]:
        if engine.name not in fitters:
            raise UnsupportedError("no fit")
        method: Callable[..., object] = getattr(fitters[engine.name], name)
        method(*(() if name == "predict" else (1,)))
        return method

    return settings.enter(case, name, tried)


def _printing(settings: Settings, task: Task, fitters: dict[str, Fitter]) -> list[Row]:
    """Time what a line an epoch adds."""
    rows = []
    for name, method in _supported(settings, "verbose=2", fitters, "fit_printing").items():
        once = time_call(partial(method, CHECKED), 1) / CHECKED
        count = min(task.count, max(CHECKED, int(settings.seconds / ROUNDS / once)))
        extra = []
        for _ in range(ROUNDS):
            quiet = time_call(partial(fitters[name].fit, count), 1)
            extra.append((time_call(partial(method, count), 1) - quiet) / count)
        row = make_row("fit", "verbose=2, an epoch", "fit", name, Timing(tuple(extra)))
        if name == "lstmfast":
            row = replace(row, goal=Goal("value", VERBOSE_GOAL, at_most=True))
        rows.append(row)
    return rows


def _predicting(settings: Settings, task: Task, fitters: dict[str, Fitter]) -> list[Row]:
    """Time `predict` of three rows."""
    calls = _supported(settings, "predict", fitters, "predict")
    timings, _ = take_turns(calls, settings.seconds)
    rows = []
    for name, timing in timings.items():
        row = make_row("fit", "predict, 3 rows", "forward", name, timing)
        if name == "lstmfast":
            row = replace(row, goal=Goal("value", PREDICT_GOAL, at_most=True))
        rows.append(row)
    return with_ratio(rows)


def _calling(settings: Settings) -> list[Row]:
    """Time a call of `lstmfast.LSTM` at toy size; the time at no steps is overhead."""
    lf.set_num_threads(settings.threads)
    calls: dict[int, Callable[[], object]] = {}
    for T in FEW, MANY:
        problem = make_problem(Shape("toy", 3, T, 1, 50))
        calls[T] = partial(make_lstm(problem), problem.x)
    timings, _ = take_turns(calls, settings.seconds)
    whole = make_row("fit", "LSTM call, toy", "forward", "lstmfast", timings[FEW])
    pairs = zip(timings[FEW].values, timings[MANY].values, strict=True)
    overhead = tuple(few - FEW * (many - few) / (MANY - FEW) for few, many in pairs)
    row = make_row("fit", "LSTM call, no steps", "forward", "lstmfast", Timing(overhead))
    goal = Goal("value", CALL_GOAL, at_most=True)
    return [whole, replace(row, goal=goal, note=f"by a line through {FEW} and {MANY} steps")]


FIT = Suite(
    "fit",
    _run,
    legend="Microseconds of the whole task: 1000 epochs, or 10,000 calls of fit (echo).",
    takes_shapes=False,
)
