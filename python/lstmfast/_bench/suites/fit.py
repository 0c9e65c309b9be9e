"""Trainings of toy models as in tutorials, and the cost of calls from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, Fitter, UnsupportedError
from lstmfast._bench.engines.vs_lstmfast import make_lstm
from lstmfast._bench.problems import TASKS, Task, make_problem
from lstmfast._bench.protocol import Goal, Row, Timing, make_row, take_turns, time_call
from lstmfast._bench.shapes import Shape

CHECKED = 5  # epochs or calls whose losses are compared
# At most 4 batches each, sums of some 50 terms, in float32, if all errors had one sign.
LOSS_TOLERANCE = 4 * CHECKED * 50**0.5 * 6e-8
ROUNDS = 5
VERBOSE_GOAL = Goal("value", 20e-6, at_most=True)  # an epoch
PREDICT_GOAL = Goal("value", 3e-6, at_most=True)
CALL_GOAL = Goal("value", 0.7e-6, at_most=True)
FEW, MANY = 3, 30  # steps, from which the cost of no steps follows


def _run(settings: Settings) -> Iterator[list[Row]]:
    for task in TASKS:
        fitters = settings.enter(task.name, "fit", partial(checked_fitter, settings, task))
        yield _whole_fits(settings, task, fitters)
        if task is TASKS[0]:
            yield from _printing(settings, task, fitters)
            yield _predicting(settings, fitters)
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


def _affordable(settings: Settings, call: Callable[[int], object], most: int) -> int:
    """Return how many epochs or calls fit into a round's share of the time."""
    once = time_call(partial(call, CHECKED), 1) / CHECKED
    return min(most, max(CHECKED, int(settings.seconds / ROUNDS / once)))


def _whole_fits(settings: Settings, task: Task, fitters: dict[str, Fitter]) -> list[Row]:
    """Time all of the task, or as much of it as fits into the time, in turns."""
    parts = {n: _affordable(settings, fitter.fit, task.count) for n, fitter in fitters.items()}
    samples: dict[str, list[float]] = {name: [] for name in fitters}
    for _ in range(ROUNDS):
        for name, fitter in fitters.items():
            seconds = time_call(partial(fitter.fit, parts[name]), 1)
            samples[name].append(seconds * task.count / parts[name])
    goal = Goal("value", task.goal, at_most=True)
    rows = []
    for name, count in parts.items():
        note = f"from {count} of {task.count}" if count < task.count else ""
        timing = Timing(np.array(samples[name]))
        rows.append(make_row(task.name, "fit", timing, name, goal=goal, note=note))
    return rows


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


def _printing(settings: Settings, task: Task, fitters: dict[str, Fitter]) -> Iterator[list[Row]]:
    """Time what a line an epoch adds; a case for each engine, since these times may be near 0."""
    for name, method in _supported(settings, "verbose=2", fitters, "fit_printing").items():
        count = _affordable(settings, method, task.count)
        extra = []
        for _ in range(ROUNDS):
            quiet = time_call(partial(fitters[name].fit, count), 1)
            extra.append((time_call(partial(method, count), 1) - quiet) / count)
        timing = Timing(np.array(extra))
        yield [make_row("verbose=2, an epoch", "fit", timing, name, goal=VERBOSE_GOAL)]


def _predicting(settings: Settings, fitters: dict[str, Fitter]) -> list[Row]:
    """Time `predict` of three rows."""
    calls = _supported(settings, "predict", fitters, "predict")
    timings, _ = take_turns(calls, settings.seconds)
    case, goal = "predict, 3 rows", PREDICT_GOAL
    return [make_row(case, "forward", t, name, goal=goal) for name, t in timings.items()]


def _calling(settings: Settings) -> list[Row]:
    """Time a call of `lstmfast.LSTM` at toy size; the time at no steps is overhead."""
    lf.set_num_threads(settings.threads)
    problems = {T: make_problem(Shape("toy", 3, T, 1, 50)) for T in (FEW, MANY)}
    calls = {T: partial(make_lstm(problem), problem.x) for T, problem in problems.items()}
    timings, _ = take_turns(calls, settings.seconds)
    few, many = timings[FEW].values, timings[MANY].values
    overhead = Timing(few - FEW * (many - few) / (MANY - FEW))
    note = f"by a line through {FEW} and {MANY} steps"
    return [
        make_row("LSTM call, toy", "forward", timings[FEW]),
        make_row("LSTM call, no steps", "forward", overhead, goal=CALL_GOAL, note=note),
    ]


FIT = Suite(
    "fit",
    _run,
    legend="Microseconds of the whole task: 1000 epochs, or 10,000 calls of fit (echo).",
    takes_shapes=False,
)
