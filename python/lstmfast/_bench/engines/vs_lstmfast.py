"""lstmfast itself."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.engines.base import EVERY_OPTION, Engine, Fitter, Runner, Step
from lstmfast._bench.problems import Array, Problem, Toy


def make_lstm(problem: Problem) -> lf.LSTM:
    """Return an `lstmfast.LSTM` with the problem's option and parameters."""
    shape = problem.shape
    rnn = lf.LSTM(shape.I, shape.H, **problem.option.lstm_keywords(shape))
    rnn.load_state_dict(problem.state_dict())
    return rnn


class LstmfastRunner(Runner):
    """`lstmfast.LSTM` on one problem."""

    def __init__(self, problem: Problem, threads: int) -> None:
        lf.set_num_threads(threads)
        self.problem = problem
        self.rnn = make_lstm(problem)
        # an argument that is not given costs nothing
        self.call: dict[str, Any] = {} if problem.lengths is None else {"lengths": problem.lengths}

    def forward(self) -> Any:
        """Run inference."""
        return self.rnn(self.problem.x, **self.call)

    def train(self) -> Any:
        """Run forward and backward."""
        self.rnn.zero_grad()
        self.rnn(self.problem.x, training=True, **self.call)
        return self.rnn.backward(self.problem.dy)

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward()[0])

    def trained(self) -> Any:
        """Return the gradients."""
        dx, _ = self.train()
        return dx, self.rnn.grads()


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of `stream.step(x, y)` for a step."""
    lf.set_num_threads(threads)
    shape = problem.shape
    stream, y = make_lstm(problem).stream(shape.B), np.empty((shape.B, shape.H), problem.x.dtype)
    return [partial(stream.step, x, y) for x in problem.steps()]


class SequentialFitter(Fitter):
    """`Sequential` of a package that has it and `layers`, as Keras has."""

    def __init__(self, package: Any, toy: Toy) -> None:
        self.package, self.toy = package, toy
        self.call = {
            "x": toy.x,
            "y": toy.y,
            "batch_size": toy.batch_size,
            "validation_split": toy.held_out / len(toy.x),
        }
        self.model = self._build()

    def _build(self) -> Any:
        layers, toy = self.package.layers, self.toy
        model = self.package.Sequential(
            [
                layers.Input(toy.x.shape[1:]),
                layers.LSTM(toy.units, activation=toy.activation),
                layers.Dense(toy.y.shape[1], activation=toy.dense_activation),
            ]
        )
        model.compile(optimizer="adam", loss=toy.loss)
        model.set_weights(toy.weights())
        return model

    def fit(self, count: int) -> None:
        """Train on."""
        calls, epochs = (count, 1) if self.toy.by_call else (1, count)
        for _ in range(calls):
            self.model.fit(**self.call, epochs=epochs, verbose=0)

    def losses(self, count: int) -> Array:
        """Train a fresh model in order."""
        history = self._build().fit(**self.call, epochs=count, verbose=0, shuffle=False)
        return np.asarray(history.history["loss"])

    def predict(self) -> object:
        """Predict the first rows."""
        return self.model.predict(self.toy.x[:3], verbose=0)

    def fit_printing(self, count: int) -> None:
        """Train with verbose=2; the output is discarded."""
        with open(os.devnull, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
            self.model.fit(**self.call, epochs=count, verbose=2)


def _fitter(toy: Toy, threads: int) -> Fitter:
    lf.set_num_threads(threads)
    return SequentialFitter(lf, toy)


def _version() -> str:
    """Return the version and the instruction set in use."""
    return f"{lf.__version__} ({lf.isa()})"


LSTMFAST = Engine(
    "lstmfast",
    "lstmfast",
    _version,
    LstmfastRunner,
    _stepper,
    _fitter,
    EVERY_OPTION,
    holds=True,
)
