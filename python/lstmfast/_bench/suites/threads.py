"""Whole fits with the default number of threads: none of them may be slower for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import Settings, Suite, WrongAnswerError
from lstmfast._bench.engines.vs_lstmfast import SequentialFitter
from lstmfast._bench.problems import Task
from lstmfast._bench.protocol import Goal, Row, make_row, take_turns, threads_text
from lstmfast._bench.shapes import FIT_SHAPES, Shape

BATCHES = 40  # of an epoch
CHECKED = 2  # epochs after which weights are compared: steps on the team, alone, and settled
SLOWER = 1.03


def _run(settings: Settings) -> Iterator[list[Row]]:
    for shape in settings.chosen(FIT_SHAPES if settings.threads > 1 else ()):
        yield from _fits(settings, shape)


def _fits(settings: Settings, shape: Shape) -> Iterator[list[Row]]:
    """Epochs of a model trained on one thread, and of its twin on all, in turns."""
    numbers = (1, settings.threads)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCHES * shape.B, shape.T, shape.I), dtype=np.float32)
    task = Task(shape.name, x, x[:, :1, 0], shape.H, "tanh", "linear", "mse", shape.B, 1, 0.0)
    fitters = {n: SequentialFitter(lf, task) for n in numbers}
    epochs = {
        n: partial(fitter.model.fit, **fitter.call, shuffle=False, verbose=0)
        for n, fitter in fitters.items()
    }
    for n in numbers:
        lf.set_num_threads(n)
        for _ in range(CHECKED):
            epochs[n]()
    alone, shared = (fitters[n].model.get_weights() for n in numbers)
    if not all(map(np.array_equal, alone, shared)):
        raise WrongAnswerError(f"lstmfast at {shape.text}: weights depend on the threads")
    timings, _ = take_turns(epochs, settings.seconds, before=lf.set_num_threads)
    for n, timing in timings.items():
        case, slower = f"{shape.name}, {threads_text(n)}", timing.over(timings[1])
        goal = None if n == 1 else Goal("relative", SLOWER, at_most=True)
        yield [make_row(case, "fit", timing, shape=shape, relative=slower, goal=goal)]


THREADS = Suite(
    "threads",
    _run,
    relative="time",
    legend=(
        f"{BATCHES} steps of fit with Adam. time: against one thread's, in turns; up to --threads. "
        "lstmfast alone."
    ),
)
