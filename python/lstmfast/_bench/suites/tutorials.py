"""Whole fits of models from Keras's tutorials, lstmfast against Keras on torch.

One function makes the model of either package. Both begin with the same weights, and the losses of
the first epochs are compared, without shuffling, before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import OWN, Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.engines.vs_keras import import_keras
from lstmfast._bench.problems import Array
from lstmfast._bench.protocol import Goal, Row
from lstmfast._bench.suites.fit import whole_fits

CHECKED = 2  # epochs whose losses are compared
TOY, USUAL = Goal("ratio", 20.0), Goal("ratio", 5.0)
WORDS, LETTERS = 5000, 100  # of reviews: different words, and words a review


@dataclass(frozen=True)
class Tutorial:
    """A model and its training.

    Attributes
    ----------
    layers : callable
        Returns the layers of a package's module `layers`.
    data : callable
        Returns x and y for a generator and a number of samples.
    samples : int
        How many there are.
    count : int
        Epochs, or calls of `fit` of one epoch where `by_call`.
    held_out : float
        The share of the samples that validate.
    """

    name: str
    layers: Callable[[Any], list[Any]]
    data: Callable[[np.random.Generator, int], tuple[Array, Array]]
    samples: int
    loss: str
    batch_size: int
    count: int
    goal: Goal
    held_out: float = 0.0
    by_call: bool = False


def _counting(steps: int, answer: Callable[[Array], Array]) -> Any:
    """Return what makes rows of numbers, in tenths, and an answer to each row."""

    def data(rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
        x = np.arange(samples * steps, dtype=np.float32).reshape(samples, steps, 1) / 10.0
        return x, answer(x)

    return data


def _echo(rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
    x = np.eye(10, dtype=np.float32)[rng.integers(0, 10, (samples, 5))]
    return x, x[:, 1]


def _months(rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
    """Return each month of a growing series with a season, and the next month."""
    month = np.arange(samples + 1)
    series = (month * (2.0 + np.sin(month * np.pi / 6.0)) / (3.0 * samples)).astype(np.float32)
    return series[:-1, None, None], series[1:, None]


def _images(rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
    x = rng.random((samples, 28, 28), dtype=np.float32)
    return x, np.eye(10, dtype=np.float32)[rng.integers(0, 10, samples)]


def _reviews(rng: np.random.Generator, samples: int) -> tuple[Array, Array]:
    x = rng.integers(0, WORDS, (samples, LETTERS)).astype(np.int32)
    return x, rng.integers(0, 2, (samples, 1)).astype(np.float32)


TUTORIALS = (
    Tutorial(
        "one_to_many",
        lambda of: [of.Input((1, 1)), of.LSTM(50, activation="relu"), of.Dense(2)],
        _counting(1, lambda x: x[:, 0] + np.array([0.1, 0.2], np.float32)),
        15, "mse", 3, 1000, TOY, 0.2,
    ),
    Tutorial(
        "many_to_one",
        lambda of: [of.Input((3, 1)), of.LSTM(50, activation="relu"), of.Dense(1)],
        _counting(3, lambda x: x.sum(axis=1)), 15, "mse", 5, 1000, TOY, 0.2,
    ),
    Tutorial(
        "echo",
        lambda of: [of.Input((5, 10)), of.LSTM(25), of.Dense(10, activation="softmax")],
        _echo, 1, "categorical_crossentropy", 1, 10_000, TOY, by_call=True,
    ),
    Tutorial(
        "air_passengers", lambda of: [of.Input((1, 1)), of.LSTM(4), of.Dense(1)],
        _months, 94, "mse", 1, 100, TOY,
    ),
    Tutorial(
        "digits_by_rows",
        lambda of: [of.Input((28, 28)), of.LSTM(128), of.Dense(10, activation="softmax")],
        _images, 2048, "categorical_crossentropy", 64, 5, USUAL,
    ),
    Tutorial(
        "reviews",
        lambda of: [
            of.Input((LETTERS,), dtype="int32"), of.Embedding(WORDS, 32), of.LSTM(100),
            of.Dense(1, activation="sigmoid"),
        ],
        _reviews, 1024, "binary_crossentropy", 64, 3, USUAL,
    ),
)  # fmt: skip


class Fit:
    """A package's model of a tutorial, and its data."""

    def __init__(self, package: Any, tutorial: Tutorial) -> None:
        self.tutorial = tutorial
        self.model = package.Sequential(tutorial.layers(package.layers))
        self.model.compile(optimizer="adam", loss=tutorial.loss)
        x, y = tutorial.data(np.random.default_rng(0), tutorial.samples)
        split = {"batch_size": tutorial.batch_size, "validation_split": tutorial.held_out}
        self.call: dict[str, Any] = {"x": x, "y": y, "verbose": 0, **split}

    def losses(self) -> Array:
        """Return the losses of the first epochs, without shuffling."""
        run = self.model.fit(**self.call, epochs=CHECKED, shuffle=False)
        return np.array(run.history["loss"])

    def fit(self, count: int) -> None:
        """Train on."""
        calls, epochs = (count, 1) if self.tutorial.by_call else (1, count)
        for _ in range(calls):
            self.model.fit(**self.call, epochs=epochs)


def tolerance(fit: Fit) -> float:
    """Return by how much of themselves losses may differ.

    A step's sums have up to as many terms as the largest weight has rows, at each step of x; in
    float32 their errors grow with the square root of that number, and add up over the batches.
    """
    x: Array = fit.call["x"]
    rows = max(weight.shape[0] for weight in fit.model.get_weights() if len(weight) != WORDS)
    steps = CHECKED * -(-len(x) // fit.tutorial.batch_size)
    return float(4 * steps * np.finfo(np.float32).eps * (rows * x.shape[1]) ** 0.5)


def _run(settings: Settings) -> Iterator[list[Row]]:
    lf.set_num_threads(settings.threads)
    for tutorial in TUTORIALS:
        yield against_keras(settings, tutorial)


def against_keras(settings: Settings, tutorial: Tutorial) -> list[Row]:
    """Return the rows of one tutorial, after the losses have been compared."""
    name, ours = tutorial.name, Fit(lf, tutorial)
    weights = ours.model.get_weights()
    expected = ours.losses()

    def entered(engine: Engine) -> Fit:
        if engine.name == OWN[0]:
            return ours
        if engine.name != "keras":
            raise UnsupportedError("no models")
        theirs = Fit(import_keras(settings.threads), tutorial)
        theirs.model.set_weights(weights)
        got = theirs.losses()
        if not np.allclose(got, expected, rtol=tolerance(ours), atol=0.0):
            raise WrongAnswerError(f"{name}: losses {expected}; keras has {got}")
        return theirs

    fits = settings.enter(name, "fit", entered)
    return whole_fits(settings, name, tutorial.count, tutorial.goal, fits)


TUTORIALS_SUITE = Suite(
    "tutorials",
    _run,
    legend="Microseconds of the whole fit: all epochs, or 10,000 calls of fit (echo).",
    takes_shapes=False,
)
