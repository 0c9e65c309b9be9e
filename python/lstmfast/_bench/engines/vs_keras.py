"""Keras on torch: the layer called directly, `model.predict`, `model.fit`."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Fitter, Runner, Stepper, named_gradients
from lstmfast._bench.engines.sequential import SequentialFitter
from lstmfast._bench.engines.vs_torch import import_torch
from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.tasks import Task
from lstmfast._layouts import KERAS_WEIGHTS


def _keras(threads: int | None = None) -> Any:
    """Return the module; KERAS_BACKEND is torch in the environment of a benchmark."""
    import_torch(threads)
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = importlib.import_module("keras")
    if keras.backend.backend() != "torch":
        raise RuntimeError(f"its backend is {keras.backend.backend()}; expected torch")
    return keras


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


class KerasRunner(Runner):
    """`keras.layers.LSTM` on one problem, called with tensors of torch."""

    def __init__(self, keras: Any, problem: Problem) -> None:
        self.torch = import_torch()
        self.layer = _make_layer(keras, problem)
        self.weights = [weight.value for weight in self.layer.trainable_weights]
        self.x = self.torch.from_numpy(problem.x)
        self.x_grad = self.torch.from_numpy(problem.x.copy()).requires_grad_()
        self.dy = self.torch.from_numpy(problem.dy)

    def forward(self) -> Any:
        """Run inference."""
        with self.torch.no_grad():
            return self.layer(self.x, training=False)

    def train(self) -> object:
        """Run forward and backward."""
        for leaf in (self.x_grad, *self.weights):
            leaf.grad = None
        y = self.layer(self.x_grad, training=True)
        y.backward(self.dy)
        return y

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward().detach().numpy())

    def gradients(self) -> Answers:
        """Return the gradients."""
        self.train()
        grads = {n: w.grad.numpy() for n, w in zip(KERAS_WEIGHTS, self.weights, strict=True)}
        return named_gradients(self.x_grad.grad.numpy(), [grads])


class KerasPredictRunner(Runner):
    """`predict` of a model of one layer; NumPy in and out."""

    def __init__(self, keras: Any, problem: Problem) -> None:
        self.x = problem.x
        layer = _make_layer(keras, problem)
        self.model = keras.Sequential([keras.Input(problem.x.shape[1:]), layer])

    def forward(self) -> Any:
        """Run inference."""
        return self.model.predict(self.x, batch_size=len(self.x), verbose=0)

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward())


class KerasStepper(Stepper):
    """`keras.layers.LSTMCell`, a call a step."""

    def __init__(self, keras: Any, problem: Problem) -> None:
        self.torch = import_torch()
        self.cell = _make_layer(keras, problem).cell
        self.steps = [self.torch.from_numpy(x.copy()) for x in problem.x.swapaxes(0, 1)]
        self.zero = self.torch.zeros(problem.shape.B, problem.shape.H)
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.state: Any = [self.zero, self.zero]

    def step(self, t: int) -> Any:
        """Go on by one step."""
        with self.torch.no_grad():
            y, self.state = self.cell(self.steps[t], self.state)
        return y


class KerasEngine(Engine):
    """Keras, its layers called."""

    name = "keras"
    module = "keras"
    options = frozenset({"recurrent_dropout", "input_dropout", "relu", "softsign", "hard_sigmoid"})

    def version(self) -> str:
        """Return Keras's version."""
        return f"{_keras().__version__} (torch)"

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return KerasRunner(_keras(threads), problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return KerasStepper(_keras(threads), problem)

    def fitter(self, task: Task, threads: int) -> Fitter:
        """Build the task's model."""
        keras = _keras(threads)
        return SequentialFitter(keras.Sequential, keras.layers, task)


class KerasPredictEngine(Engine):
    """Keras, a whole model's predict."""

    name = "keras_predict"
    module = "keras"

    def version(self) -> str:
        """Return Keras's version."""
        return f"{_keras().__version__} (torch)"

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return KerasPredictRunner(_keras(threads), problem)
