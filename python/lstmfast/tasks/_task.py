"""What every task is: data, a suggested model, a score with a target, examples to show.

Long, because all that tasks share and may override stands in one class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from time import perf_counter
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import LARGEST_COUNT, choice, count, number, wrong_kind
from lstmfast.callbacks import History
from lstmfast.models import EncoderDecoder
from lstmfast.optimizers import Adam
from lstmfast.optimizers.schedules import CosineDecay
from lstmfast.utils._seeds import seeded

from ._measures import ACCURACY, Measure
from ._networks import VARIANTS, Units, network, problem_of
from ._records import Example, Part, Settings, Solution
from ._shapes import Shapes
from ._words import joined, numbers

MOST_CLASSES = 20  # that a picture shows one by one


def option(default: int, least: int = 1, most: int = LARGEST_COUNT) -> Any:
    """Return a whole number that a task takes, from `least` to `most`."""
    return field(default=default, metadata={"least": least, "most": most})


def _check_model(model: Any, where: str) -> None:
    if not hasattr(model, "predict"):
        raise wrong_kind(where, "model", model, "a model, as build() returns")


@dataclass(kw_only=True)
class Task:
    """A problem for an LSTM: seeded data of any size, a suggested model, a score with a target.

    Attributes may follow from the options: ask a task for them, not its class.

    Parameters
    ----------
    seed : int
        Of the data and of the model.
    samples : int, optional
        How many to train with; by default as many as `settings` suggests.

    Attributes
    ----------
    mode : str
        The kind of problem: ``"many to one"``, ``"sequence to sequence"``, ...
    source : str
        Where it comes from.
    settings : Settings
        The suggested model and its training.
    measure : Measure
        How answers are judged, in the problem's own terms.
    target : float
        The score that solves it.
    labels : sequence of str
        Names of the classes of answers; empty where these are numbers.
    vocabulary : sequence of str
        Names of the tokens of x; empty where x has values.
    loss : str or Loss
        What training makes small; by default it follows from the answers.

    Examples
    --------
    >>> import lstmfast as lf
    >>> task = lf.tasks.load("echo", seed=0, length=5)
    >>> task.train.x.shape, task.settings.variant
    ((2000, 5, 10), 'vanilla')
    >>> model = task.build()
    >>> run = task.fit(model, epochs=2)
    >>> 0.0 <= task.score(model) <= 1.0
    True
    """

    seed: int = option(0, least=0)
    samples: int | None = None

    mode: ClassVar[str]
    source: ClassVar[str]
    settings: ClassVar[Settings] = Settings()
    measure: ClassVar[Measure] = ACCURACY
    target: ClassVar[float]
    labels: ClassVar[Sequence[str]] = ()
    vocabulary: ClassVar[Sequence[str]] = ()
    loss: ClassVar[Any] = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(each.default, int) or (each.name == "samples" and value is not None):
                least = each.metadata.get("least", 1)
                setattr(self, each.name, count(value, each.name, self.name, least))
                if value > (most := each.metadata.get("most", LARGEST_COUNT)):
                    raise ValueError(
                        f"[{self.name}] {each.name} is {value}; expected at most {most}"
                    )

    # What a task says of itself ---------------------------------------------------------------

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return so many samples; each task has its own."""
        raise NotImplementedError

    def part(self, place: int, rng: np.random.Generator, samples: int) -> Part:
        """Return the part 0, 1 or 2 of the data; a task whose data are given cuts them here."""
        return self.make(rng, samples)

    def show_x(self, x: Array) -> str:
        """Return one sample's x in words."""
        if self.vocabulary and x.dtype.kind in "iu":
            return joined(self.vocabulary, x)
        return numbers(x)

    def show_y(self, y: Array) -> str:
        """Return one sample's answer in words."""
        return joined(self.labels, np.atleast_1d(y)) if self.labels else numbers(y)

    def persistence(self, part: Part) -> Array | None:
        """Return the answers "as it is now", a baseline for forecasts; None where there are none.

        They have the shape of the part's y, so that `measure` can judge them.
        """
        return None

    def picture(self, model: Any) -> Any:
        """Return a figure of a model's answers to test samples, or None where words say it all.

        It needs matplotlib.
        """
        x, y, _ = self.test
        if isinstance(model, EncoderDecoder) and self.vocabulary:
            from lstmfast.plot import attention, attention_weights

            said = self.predict(model, x[:1])
            read, written = (max(1, np.count_nonzero(ids)) for ids in (x[0], said[0]))
            weights = attention_weights(model, x[:1], said)[0, :written, :read]
            source = [self.vocabulary[i] for i in x[0, :read]]
            return attention(weights, source, [joined(self.labels, [i]) for i in said[0, :written]])
        if not self.labels or y.ndim > 1 or len(self.labels) > MOST_CLASSES:
            return None
        from lstmfast.plot import confusion

        return confusion(y, self.predict(model, x), self.labels)

    # What follows from it ---------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The task's name, that of its file."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def summary(self) -> str:
        """The problem in one sentence."""
        return (type(self).__doc__ or "").partition("\n")[0]

    @cached_property
    def parts(self) -> tuple[Part, Part, Part]:
        """The samples to train, validate and test with; each part's follow from the seed alone."""
        train, *others = self.settings.samples
        sizes = (train if self.samples is None else self.samples, *others)
        seeds = np.random.SeedSequence(self.seed).spawn(3)
        made = [
            self.part(place, np.random.default_rng(seed), size)
            for place, (seed, size) in enumerate(zip(seeds, sizes, strict=True))
        ]
        return made[0], made[1], made[2]

    @property
    def train(self) -> Part:
        """What to train with."""
        return self.parts[0]

    @property
    def validation(self) -> Part:
        """What to choose and watch with."""
        return self.parts[1]

    @property
    def test(self) -> Part:
        """What to judge with."""
        return self.parts[2]

    @cached_property
    def shapes(self) -> Shapes:
        """What goes into a model and what comes out."""
        x, y, _ = self.train
        is_next = self.mode in ("generation", "control")
        return Shapes.of(x, y, len(self.vocabulary), len(self.labels), is_next)

    @property
    def variants(self) -> list[str]:
        """The variants that fit."""
        return [each for each in VARIANTS if not problem_of(each, self.shapes)]

    @cached_property
    def chance(self) -> float:
        """The score of the best constant answer: of each step the commonest class, or the mean.

        It is found in the training part and judged with the test part.
        """
        y, weights = self.train.y, self.train.weights
        if self.labels:
            classes = len(self.labels)
            places = classes * np.arange(y[0].size).reshape(y.shape[1:])  # of each step's counts
            shares = np.bincount(
                (y + places).ravel(),
                None if weights is None else weights.ravel(),
                classes * y[0].size,
            )
            guess: Any = shares.reshape(*y.shape[1:], classes).argmax(axis=-1)
        else:
            guess = y.mean(axis=0)
        expected = self.test.y
        answers = np.broadcast_to(guess, expected.shape)
        return self.measure.score(expected, answers, self.test.weights)

    def build(
        self,
        variant: str | None = None,
        units: Units | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
    ) -> Any:
        """Return a compiled model; what is not given is as `settings` suggests.

        Parameters
        ----------
        variant : str, optional
            A function of `lstmfast.variants` that fits (see `variants`).
        units : int or tuple of int, optional
            Of the LSTM, or of each.
        epochs : int, optional
            After so many the learning rate is 0.
        learning_rate : float, optional
            Of Adam at the start, more than 0.

        Raises
        ------
        TypeError, ValueError
            Where there is no such variant, or it does not fit, or for a number that cannot be.
        """
        suggested = self.settings
        chosen = suggested.variant if variant is None else variant
        choice(chosen, "variant", self.name, *VARIANTS)
        problem = problem_of(chosen, self.shapes)
        if problem and chosen != suggested.variant:
            raise ValueError(
                f"[{self.name}] variant is {chosen!r}, which needs {problem}; expected one of "
                + ", ".join(self.variants)
            )
        passes = suggested.epochs if epochs is None else count(epochs, "epochs", self.name)
        rate = suggested.learning_rate
        if learning_rate is not None:
            rate = number(learning_rate, "learning_rate", self.name)
        if not rate > 0:
            raise ValueError(f"[{self.name}] learning_rate is {rate:g}; expected more than 0")
        options = dict(suggested.model) if chosen == suggested.variant else {}
        sizes = suggested.units_of(chosen) if units is None else units
        with seeded(self.seed):  # for layers of functional models, which have no seed of their own
            model = self.network(chosen, sizes, options)
        loss = self.loss or ("sparse_categorical_crossentropy" if self.labels else "mse")
        model.compile(Adam(CosineDecay(rate, self.steps(passes)), clipnorm=1.0), loss)
        model.metadata = self.metadata
        return model

    @property
    def metadata(self) -> dict[str, Any]:
        """What files of a model of this task hold, so that it can be used without the task."""
        names = {"labels": list(self.labels), "vocabulary": list(self.vocabulary)}
        found = {"task": self.name, **{name: each for name, each in names.items() if each}}
        x = self.train.x
        if not self.shapes.is_next and self.vocabulary and not self.vocabulary[0].strip():
            blanks = "before" if x[:, -1].all() else "after"  # the token 0 fills up shorter texts
            found |= {"steps": x.shape[1], "blanks": blanks}
        return found

    def network(self, variant: str, units: Units, options: dict[str, Any]) -> Any:
        """Return a variant that is not compiled; a task with a model of its own makes it here."""
        return network(variant, self.shapes, units, seed=self.seed, **options)

    def steps(self, epochs: int) -> int:
        """Return the number of steps of the optimizer in so many epochs."""
        return epochs * -(-len(self.train.x) // self.settings.batch_size)

    def fit(
        self, model: Any, epochs: int | None = None, callbacks: Sequence[Any] = (), verbose: int = 0
    ) -> History:
        """Train a model with the task's data; what is not given is as `settings` suggests."""
        x, y, weights = self.train
        seen, wanted, counts = self.validation
        validation = (self.inputs(model, seen), self.targets(wanted))
        history: History = model.fit(
            self.inputs(model, x),
            self.targets(y),
            sample_weight=weights,
            batch_size=self.settings.batch_size,
            epochs=self.settings.epochs if epochs is None else epochs,
            validation_data=validation if counts is None else (*validation, counts),
            callbacks=list(callbacks),
            verbose=verbose,
        )
        return history

    def targets(self, y: Array) -> Any:
        """Return y as a model takes it; a model with several outputs takes a list."""
        return y

    def inputs(self, model: Any, x: Array) -> Array:
        """Return x as a model takes it: numbers of frames side by side for one without frames."""
        shape = model.input_shape
        if isinstance(shape, tuple) and len(shape) == 3 and x.ndim > 3:
            return x.reshape(*x.shape[:2], -1)
        return x

    def predict(self, model: Any, x: Array) -> Array:
        """Return a model's answers: numbers, or classes."""
        found: Array = model.predict(self.inputs(model, x), verbose=0)
        are_shares = bool(self.labels) and found.dtype.kind == "f"
        one = self.train.y.shape[1:] + (len(self.labels),) * are_shares
        if found.shape != (len(x), *one):
            came, expected = (", ".join(map(str, each)) for each in (found.shape[1:], one))
            raise ValueError(
                f"[{self.name}] model has outputs (N, {came}); expected (N, {expected})"
            )
        return found.argmax(axis=-1) if are_shares else found

    def score(self, model: Any, part: Part | None = None) -> float:
        """Return how good a model's answers are, those to `test` by default."""
        _check_model(model, self.name)
        return self.measure.score(*self.judged(model, part))

    def judged(self, model: Any, part: Part | None = None) -> tuple[Array, Array, Array | None]:
        """Return what the measure compares: expected answers, a model's, and their weights."""
        x, y, weights = self.test if part is None else part
        return y, self.predict(model, x), weights

    def solved(self, score: float) -> bool:
        """Tell whether a score reaches the target."""
        return self.measure.reached(score, self.target)

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return the first test samples, what is expected and what a model says."""
        _check_model(model, self.name)
        number = count(number, "number", self.name)
        x, y, weights = self.test
        first = Part(x[:number], y[:number], None if weights is None else weights[:number])
        expected, found, _ = self.judged(model, first)
        return [
            Example(self.show_x(a), self.show_y(b), self.show_y(c))
            for a, b, c in zip(first.x, expected, found, strict=True)
        ]

    def solve(
        self,
        variant: str | None = None,
        units: Units | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Solution:
        """Build a model, train it, and judge it; arguments as those of `build`."""
        started = perf_counter()
        model = self.build(variant, units, epochs, learning_rate)
        history = self.fit(model, epochs, callbacks)
        score = self.score(model)
        return Solution(model, history, score, self.solved(score), perf_counter() - started)
