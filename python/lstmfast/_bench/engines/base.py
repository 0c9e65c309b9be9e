"""The interface of an engine that is compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from lstmfast._bench.answers import Answers
from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.tasks import Task


class UnsupportedError(Exception):
    """An engine lacks something; the message names it, as "no peepholes"."""


class Runner:
    """One engine with one problem, ready to run; its calls do only what is timed."""

    def forward(self) -> object:
        """Run inference."""
        raise UnsupportedError("no inference")

    def train(self) -> object:
        """Run forward and backward, with fresh gradients for x and all parameters."""
        raise UnsupportedError("no training")

    def output(self) -> Array:
        """Return y (B, T, N) of an inference."""
        raise UnsupportedError("no inference")

    def gradients(self) -> Answers:
        """Return a training step's dx, and d<parameter> in the layout of `Problem.params`.

        Names of a second direction end in ``_reverse``.
        """
        raise UnsupportedError("no training")


class Stepper(ABC):
    """One engine with a problem, which it computes step by step."""

    @abstractmethod
    def reset(self) -> None:
        """Set the state to zero."""

    @abstractmethod
    def step(self, t: int) -> object:
        """Compute the output of x[:, t] from the state after the last call."""

    def numpy(self, y: object) -> Array:
        """Return what `step` returned as (B, H)."""
        return np.asarray(y)


class Fitter(ABC):
    """One engine with the model and data of a `Task`."""

    @abstractmethod
    def fit(self, count: int) -> object:
        """Train for `count` more epochs, or calls of fit."""

    @abstractmethod
    def losses(self, count: int) -> Array:
        """Return the losses of the first epochs or calls of a new model, without shuffling."""

    def predict(self) -> object:
        """Return the outputs for one small batch, the task's data."""
        raise UnsupportedError("no predict")

    def fit_printing(self, count: int) -> object:
        """Train as `fit` does, with a line an epoch."""
        raise UnsupportedError("no verbose=2")


class Engine(ABC):
    """A way to run an LSTM."""

    name: ClassVar[str]
    module: ClassVar[str]  # what must be importable for it
    options: ClassVar[frozenset[str]] = frozenset()  # names of `OPTIONS` that it has
    plain: ClassVar[bool] = True  # whether it takes the plain cell too

    @abstractmethod
    def version(self) -> str:
        """Return the engine's version."""

    def prepare(self, problem: Problem, threads: int) -> Runner:
        """Load the problem, on this many threads.

        Raises
        ------
        UnsupportedError
            For an option that the engine lacks.
        """
        name = problem.option.name
        if not (self.plain if name == "plain" else name in self.options):
            raise UnsupportedError(f"no {name}")
        return self.load(problem, threads)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load a problem whose option the engine has."""
        raise UnsupportedError("no whole sequences")

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        raise UnsupportedError("no single steps")

    def fitter(self, task: Task, threads: int) -> Fitter:
        """Build the task's model."""
        raise UnsupportedError("no fit")


def named_gradients(dx: Array, of_directions: list[dict[str, Array]]) -> Answers:
    """Return the answers of `Runner.gradients`."""
    found = {"dx": dx}
    for suffix, grads in zip(("", "_reverse"), of_directions, strict=False):
        found |= {f"d{name}{suffix}": value for name, value in grads.items()}
    return found
