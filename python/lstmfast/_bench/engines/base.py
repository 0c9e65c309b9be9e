"""The interface of an engine that is compared."""

from __future__ import annotations

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import numpy as np

from lstmfast._bench.options import OPTIONS
from lstmfast._bench.problems import Answers, Array, Problem, Toy, torch_names

EVERY_OPTION = frozenset(option.name for option in OPTIONS)
Step = Callable[[], Any]  # returns the output (B, H)


class UnsupportedError(Exception):
    """An engine lacks something; the message names it, as "no peepholes"."""


class Runner(ABC):
    """One engine with one problem, ready to run; its calls do only what is timed."""

    @abstractmethod
    def forward(self) -> Any:
        """Run inference."""

    def train(self) -> Any:
        """Run forward and backward; return dx and the gradients of each direction's parameters.

        They are fresh, in the layout of `Problem.params`. `trained` may return them instead.
        """
        raise UnsupportedError("no training")

    def output(self) -> Array:
        """Return y (B, T, N) of an inference."""
        return np.asarray(self.forward())

    def trained(self) -> Any:
        """Train; return dx, and the parameters' gradients under torch's names."""
        dx, of_directions = self.train()
        return dx, torch_names(of_directions, gradients=True)

    def gradients(self) -> Answers:
        """Return dx and d<parameter> of a training step."""
        dx, grads = self.trained()
        return {f"d{name}": np.asarray(value) for name, value in {"x": dx, **grads}.items()}


class Fitter(ABC):
    """One engine with the model and data of a `Toy`."""

    @abstractmethod
    def fit(self, count: int) -> object:
        """Train for `count` more epochs, or calls of fit."""

    @abstractmethod
    def losses(self, count: int) -> Array:
        """Return the losses of the first epochs or calls of a new model, without shuffling."""

    @abstractmethod
    def predict(self) -> object:
        """Return the outputs for one small batch of the data."""

    def fit_printing(self, count: int) -> object:
        """Train as `fit` does, with a line an epoch."""
        raise UnsupportedError("no verbose=2")


def _lacks(what: str, *_: object) -> NoReturn:
    raise UnsupportedError(f"no {what}")


_NO_STEPS, _NO_FIT = partial(_lacks, "single steps"), partial(_lacks, "fit")


def _importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True)
class Engine:
    """A way to run an LSTM.

    Attributes
    ----------
    module : str
        What it needs: a module, or what `found` looks for.
    version : callable
        Imports the engine and returns its version.
    runner : callable
        Loads a problem, on this many threads.
    stepper : callable
        Loads a problem for single steps: a function for each x[:, t], which computes its output
        from the state after the last call of any of them, at first from zero.
    fitter : callable
        Builds a toy model.
    options : frozenset of str
        Names of `OPTIONS` that it has.
    plain : bool
        Whether it takes the plain cell too.
    holds : bool
        Whether `lstmfast bench --isa` can hold it to an instruction set.
    found : callable
        Whether `module` is there; it loads nothing.
    """

    name: str
    module: str
    version: Callable[[], str]
    runner: Callable[[Problem, int], Runner]
    stepper: Callable[[Problem, int], list[Step]] = _NO_STEPS
    fitter: Callable[[Toy, int], Fitter] = _NO_FIT
    options: frozenset[str] = frozenset()
    plain: bool = True
    holds: bool = False
    found: Callable[[str], bool] = _importable

    @property
    def installed(self) -> bool:
        """Whether what it needs is there."""
        return self.found(self.module)

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
        return self.runner(problem, threads)


def with_state(
    advance: Callable[[Any, Any], tuple[Any, Any]], steps: Sequence[Any], state: Any = None
) -> list[Step]:
    """Return for each x of `steps` the function that calls ``y, state = advance(x, state)``.

    It returns y. The first call gets `state`, each other one what the call before it returned.
    """

    def step(x: Any) -> Any:
        nonlocal state
        y, state = advance(x, state)
        return y

    return [partial(step, x) for x in steps]


def version_of(*modules: str) -> str:
    """Import modules and return the first one's version."""
    first, *_ = [importlib.import_module(name) for name in modules]
    return str(first.__version__)
