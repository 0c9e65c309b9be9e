"""Trainings: toy models as in tutorials, with the cost of calls from Python; epochs of others.

Then fits on more threads. With the default number of threads no fit may be slower than on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, Fitter, UnsupportedError
from lstmfast._bench.engines.vs_lstmfast import SequentialFitter, make_lstm
from lstmfast._bench.problems import TOYS, Toy, make_problem
from lstmfast._bench.protocol import (
    Goal,
    Row,
    Timing,
    make_row,
    take_turns,
    threads_text,
    time_call,
)
from lstmfast._bench.shapes import FIT_SHAPES, Shape
from lstmfast._bench.suites.trainings import trainings

CHECKED = 5  # epochs or calls whose losses are compared
# At most 4 batches each, sums of some 50 terms, in float32, if all errors had one sign.
LOSS_TOLERANCE = 4 * CHECKED * 50**0.5 * 6e-8
ROUNDS = 5
VERBOSE_GOAL = Goal("value", 20e-6, at_most=True)  # an epoch
PREDICT_GOAL = Goal("value", 3e-6, at_most=True)
CALL_GOAL = Goal("value", 0.7e-6, at_most=True)
FEW, MANY = 3, 30  # steps, from which the cost of no steps follows

BATCHES = 40  # of an epoch on more threads
SETTLED = 2  # epochs after which weights are compared: steps on the team, alone, and settled
SLOWER = 1.03


def _run(settings: Settings) -> Iterator[list[Row]]:
    for toy in TOYS:
        fitters = settings.enter(toy.name, "fit", partial(checked_fitter, settings, toy))
        goal = Goal("value", toy.goal, at_most=True)
        yield whole_fits(settings, toy.name, toy.count, goal, fitters)
        if toy is TOYS[0]:
            yield from _printing(settings, toy, fitters)
            yield _predicting(settings, fitters)
    yield _calling(settings)
    yield from trainings(settings)


def checked_fitter(settings: Settings, toy: Toy, engine: Engine) -> Fitter:
    """Return an engine's model of the toy problem, after its first losses have been compared."""
    fitter = engine.fitter(toy, settings.threads)
    expected = settings.own("numpy").fitter(toy, settings.threads).losses(CHECKED)
    got = fitter.losses(CHECKED)
    if got.shape != expected.shape or not np.allclose(got, expected, rtol=LOSS_TOLERANCE, atol=0.0):
        raise WrongAnswerError(
            f"{engine.name} at {toy.name}: losses {got.tolist()} are not the reference's "
            f"{expected.tolist()}"
        )
    return fitter


def _affordable(settings: Settings, call: Callable[[int], object], most: int) -> int:
    """Return how many epochs or calls fit into a round's share of the time."""
    once = time_call(partial(call, CHECKED), 1) / CHECKED
    return min(most, max(CHECKED, int(settings.seconds / ROUNDS / once)))


def whole_fits(
    settings: Settings, name: str, count: int, goal: Goal, fitters: Mapping[str, Any]
) -> list[Row]:
    """Time all of a training, or as much of it as fits into the time, in turns."""
    parts = {n: _affordable(settings, fitter.fit, count) for n, fitter in fitters.items()}
    samples: dict[str, list[float]] = {n: [] for n in fitters}
    for _ in range(ROUNDS):
        for engine, fitter in fitters.items():
            seconds = time_call(partial(fitter.fit, parts[engine]), 1)
            samples[engine].append(seconds * count / parts[engine])
    rows = []
    for engine, part in parts.items():
        note = f"from {part} of {count}" if part < count else ""
        timing = Timing(np.array(samples[engine]))
        rows.append(make_row(name, "fit", timing, engine, goal=goal, note=note))
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


def _printing(settings: Settings, toy: Toy, fitters: dict[str, Fitter]) -> Iterator[list[Row]]:
    """Time what a line an epoch adds; a case for each engine, since these times may be near 0."""
    for name, method in _supported(settings, "verbose=2", fitters, "fit_printing").items():
        count = _affordable(settings, method, toy.count)
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


def _run_threads(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen(FIT_SHAPES if settings.threads > 1 else ()):
        yield from _fits_on_threads(settings, shape)


def _fits_on_threads(settings: Settings, shape: Shape) -> Iterator[list[Row]]:
    """Epochs of a model trained on one thread, and of its twin on all, in turns."""
    numbers = (1, settings.threads)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCHES * shape.B, shape.T, shape.I), dtype=np.float32)
    toy = Toy(shape.name, x, x[:, :1, 0], shape.H, "tanh", "linear", "mse", shape.B, 1, 0.0)
    fitters = {n: SequentialFitter(lf, toy) for n in numbers}
    epochs = {
        n: partial(fitter.model.fit, **fitter.call, shuffle=False, verbose=0)
        for n, fitter in fitters.items()
    }
    for n in numbers:
        lf.set_num_threads(n)
        for _ in range(SETTLED):
            epochs[n]()
    alone, shared = (fitters[n].model.get_weights() for n in numbers)
    if not all(map(np.array_equal, alone, shared)):
        raise WrongAnswerError(f"lstmfast at {shape.text}: weights depend on the threads")
    timings, _ = take_turns(epochs, settings.seconds, before=lf.set_num_threads)
    for n, timing in timings.items():
        case, slower = f"{shape.name}, {threads_text(n)}", timing.over(timings[1])
        goal = None if n == 1 else Goal("relative", SLOWER, at_most=True)
        yield [make_row(case, "fit", timing, shape=shape, relative=slower, goal=goal)]


FIT = Suite(
    "fit",
    _run,
    relative="speedup",
    legend=(
        "Microseconds of the whole training: 1000 epochs, or 10,000 calls of fit (echo); from sine "
        "on, of an epoch.\npeak: of the products of LSTM and Dense, without padding, three times "
        "those of inference.\nspeedup: one thread's time over that of --threads, in turns."
    ),
    takes_shapes=False,
    charts_ratio=True,
)
THREADS = Suite(
    "threads",
    _run_threads,
    relative="time",
    legend=(
        f"{BATCHES} steps of fit with Adam. time: against one thread's, in turns; up to --threads. "
        "lstmfast alone."
    ),
)
