"""The tasks of `lf.tasks`, solved whole: seconds and scores, beside Keras and plain baselines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.baselines import baselines
from lstmfast._bench.contest import OWN, LeftOut, Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.engines.vs_keras import import_keras
from lstmfast._bench.protocol import Goal, Row, Timing, make_row, time_call
from lstmfast.tasks import TASKS, Task, load

SEEDS = 5
# Keras solves these with the same model, first weights, data and epochs, once.
BESIDE_KERAS = (
    "damped_sine",
    "moving_square",
    "cumulative_sum",
    "digits",
    "sentiment",
    "weather",
    "spoken_words",
)


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(settings.threads)
    for name in TASKS:
        try:
            _ = load(name).parts
        except ImportError as lack:
            settings.left_out.append(LeftOut(OWN[0], name, "solve", f"{name}: {lack}"))
        else:
            yield from rows_of(settings, name)


def rows_of(settings: Settings, name: str) -> Iterator[list[Row]]:
    """Yield the rows of one task: lstmfast's, then Keras's, then the baselines'."""
    tasks = [load(name, seed) for seed in range(SEEDS)]
    first = tasks[0]
    scores, seconds = np.transpose([_solved(task, task.build()) for task in tasks])
    fitting = baselines(first)
    plain = dict(_of_baselines(settings, first, fitting))
    # a score is good where it is high, or where it is low
    sign = 1.0 if first.measure.higher_is_better else -1.0
    better = [name for name, (found, _) in plain.items() if sign * found > sign * scores[0]]
    reached = sum(map(first.solved, scores))
    notes = [
        f"{first.measure.name}, chance {first.measure.text(first.chance)}",
        first.settings.variant,
        f"{reached} of {SEEDS} seeds reach the target",
        *([f"better: {', '.join(better)}"] if better else []),
        *([] if fitting else ["no baseline fits"]),
    ]
    goal = Goal("relative", first.target, at_most=sign < 0)
    timing = Timing(seconds)
    score, note = float(np.median(scores)), "; ".join(notes)
    rows = [make_row(name, "solve", timing, unit="seconds", relative=score, goal=goal, note=note)]
    if name in BESIDE_KERAS:
        rows += _beside(settings, first)
    yield rows
    for baseline, (found, spent) in plain.items():
        timing = Timing(np.array([spent]))
        yield [make_row(name, "fit", timing, baseline, unit="seconds", relative=found)]


def _solved(task: Task, model: Any) -> tuple[float, float]:
    """Train and judge a model, ours or Keras's; return its score and the seconds of both."""
    scores: list[float] = []

    def call() -> None:
        task.fit(model)
        scores.append(task.score(model))

    seconds = time_call(call, 1)
    return scores[0], seconds


def _beside(settings: Settings, task: Task) -> list[Row]:
    """Return Keras's row, after its first answers have been compared with lstmfast's.

    Keras takes batches in another order, so no bound on the difference holds after training: the
    table shows both scores.
    """

    def entered(engine: Engine) -> Any:
        if engine.name != "keras":
            raise UnsupportedError("no models")
        return as_keras(import_keras(settings.threads), task)

    rivals = [each for each in settings.engines if each.name not in OWN]
    entered_rivals = Settings(rivals, left_out=settings.left_out).enter(task.name, "solve", entered)
    rows = []
    for engine, model in entered_rivals.items():
        score, seconds = _solved(task, model)
        timing = Timing(np.array([seconds]))
        rows.append(make_row(task.name, "solve", timing, engine, unit="seconds", relative=score))
    return rows


def as_keras(keras: Any, task: Task) -> Any:
    """Return the task's model in Keras, compiled in the same way.

    Raises
    ------
    WrongAnswerError
        Where its answers are not ours, up to rounding.
    """
    model = task.build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        theirs = keras.models.load_model(path)
    x = task.inputs(model, task.test.x[:8])
    got, expected = np.asarray(theirs.predict(x, verbose=0)), model.predict(x)
    # float32, through as many steps as x has, with values of about 1
    limit = 64 * np.finfo(np.float32).eps * x.shape[1] * max(1.0, float(np.abs(expected).max()))
    if not np.abs(got - expected).max() <= limit:
        raise WrongAnswerError(f"keras at {task.name}: its answers differ before training")
    return theirs


def _of_baselines(
    settings: Settings, task: Task, fitting: dict[str, Callable[[], float]]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the name, the score and the seconds of each plain baseline."""
    for name, score in fitting.items():
        if name != "persistence" and find_spec("sklearn") is None:
            settings.left_out.append(LeftOut(name, task.name, "fit", "needs scikit-learn"))
            continue
        found: list[float] = []
        seconds = time_call(lambda: found.append(score()), 1)  # noqa: B023  called at once
        yield name, (found[0], seconds)


TASKS_SUITE = Suite(
    "tasks",
    _run,
    relative="score",
    legend=(
        f"Seconds to train and to judge, and scores on test data: medians of {SEEDS} seeds; those "
        "of Keras and of the baselines are from seed 0. goal: the target of the score. better: "
        "baselines that beat the score of seed 0."
    ),
    takes_shapes=False,
)
