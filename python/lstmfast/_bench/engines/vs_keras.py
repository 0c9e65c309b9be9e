"""Keras on torch: the layer called directly, `model.predict`, `model.fit`."""

from __future__ import annotations

import importlib
import os
from typing import Any

from lstmfast._bench.engines.base import Engine, Fitter, Runner, Step, with_state
from lstmfast._bench.engines.vs_lstmfast import SequentialFitter
from lstmfast._bench.engines.vs_torch import AutogradRunner, import_torch
from lstmfast._bench.problems import Problem, Toy
from lstmfast._layouts import KERAS_WEIGHTS


def import_keras(threads: int | None = None) -> Any:
    """Return the module; KERAS_BACKEND is torch in the environment of a benchmark."""
    import_torch(threads)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = importlib.import_module("keras")
    if keras.backend.backend() != "torch":
        raise RuntimeError(f"its backend is {keras.backend.backend()}; expected torch")
    return keras


def _version() -> str:
    return f"{import_keras().__version__} (torch)"


def _make_layer(keras: Any, problem: Problem) -> Any:
    """Return an LSTM layer with the problem's parameters; on CPUs, whatever else is there."""
    shape, cell, rates = problem.shape, problem.option.cell(problem.shape), problem.option.keywords
    layer = keras.layers.LSTM(
        shape.H,
        activation=cell.activation,
        recurrent_activation=cell.recurrent_activation,
        return_sequences=True,
        dropout=rates.get("input_dropout", 0.0),
        recurrent_dropout=rates.get("recurrent_dropout", 0.0),
    )
    layer.build((shape.B, shape.T, shape.I))
    layer.set_weights([problem.params[0][name] for name in KERAS_WEIGHTS])
    return layer


class KerasRunner(AutogradRunner):
    """`keras.layers.LSTM` on one problem, called with tensors of torch."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.layer = _make_layer(import_keras(threads), problem)
        weights = [weight.value for weight in self.layer.trainable_weights]
        super().__init__(problem, dict(zip(KERAS_WEIGHTS, weights, strict=True)))
        self.inference = import_torch().no_grad

    def run(self, x: Any, training: bool) -> Any:
        """Return y."""
        return self.layer(x, training=training)


class KerasPredictRunner(Runner):
    """`predict` of a model of one layer; NumPy in and out."""

    def __init__(self, problem: Problem, threads: int) -> None:
        keras = import_keras(threads)
        self.x = problem.x
        layer = _make_layer(keras, problem)
        self.model = keras.Sequential([keras.Input(problem.x.shape[1:]), layer])

    def forward(self) -> Any:
        """Run inference."""
        return self.model.predict(self.x, batch_size=len(self.x), verbose=0)


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of `keras.layers.LSTMCell`."""
    cell, torch = _make_layer(import_keras(threads), problem).cell, import_torch()
    steps = [torch.from_numpy(x) for x in problem.steps()]
    zero = torch.zeros(problem.shape.B, problem.shape.H)
    return with_state(torch.no_grad()(cell), steps, [zero, zero])


def _fitter(toy: Toy, threads: int) -> Fitter:
    return SequentialFitter(import_keras(threads), toy)


KERAS = Engine(
    "keras",
    "keras",
    _version,
    KerasRunner,
    _stepper,
    _fitter,
    frozenset({"recurrent_dropout", "input_dropout", "relu", "softsign", "hard_sigmoid"}),
)
KERAS_PREDICT = Engine("keras_predict", "keras", _version, KerasPredictRunner)
