"""lstmfast itself."""

from __future__ import annotations

from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Fitter, Runner, Stepper, named_gradients
from lstmfast._bench.engines.sequential import SequentialFitter
from lstmfast._bench.options import OPTIONS
from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.tasks import Task
from lstmfast._layouts import from_torch, suffixes, to_torch


def make_lstm(problem: Problem) -> lf.LSTM:
    """Return an `lstmfast.LSTM` with the problem's option and parameters."""
    shape = problem.shape
    rnn = lf.LSTM(shape.I, shape.H, **problem.option.lstm_keywords(shape))
    weights: dict[str, Array] = {}
    directions = suffixes(1, problem.option.bidirectional)
    for suffix, params in zip(directions, problem.params, strict=True):
        weights |= {f"{name}_{suffix}": value for name, value in to_torch(params).items()}
    rnn.load_state_dict(weights)
    return rnn


class LstmfastRunner(Runner):
    """`lstmfast.LSTM` on one problem."""

    def __init__(self, problem: Problem) -> None:
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

    def gradients(self) -> Answers:
        """Return the gradients."""
        dx = np.asarray(self.train()[0])
        grads = self.rnn.grads()
        of_directions = []
        for suffix in suffixes(1, self.problem.option.bidirectional):
            end = f"_{suffix}"
            mine = {n.removesuffix(end): g for n, g in grads.items() if n.endswith(end)}
            of_directions.append(from_torch(mine, gradients=True))
        return named_gradients(dx, of_directions)


class LstmfastStepper(Stepper):
    """`lstmfast.LSTM`, a call a step."""

    def __init__(self, problem: Problem) -> None:
        self.rnn = make_lstm(problem)
        self.steps = [np.ascontiguousarray(x[:, None]) for x in problem.x.swapaxes(0, 1)]
        self.state: Any = None

    def reset(self) -> None:
        """Forget the state."""
        self.state = None

    def step(self, t: int) -> Array:
        """Go on by one step."""
        y: Array
        y, self.state = self.rnn(self.steps[t], self.state)
        return y

    def numpy(self, y: object) -> Array:
        """Return y without its one step."""
        return np.asarray(y)[:, 0]


class LstmfastEngine(Engine):
    """lstmfast."""

    name = "lstmfast"
    module = "lstmfast"
    options = frozenset(option.name for option in OPTIONS)

    def version(self) -> str:
        """Return the version and the instruction set in use."""
        return f"{lf.__version__} ({lf.isa()})"

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        lf.set_num_threads(threads)
        return LstmfastRunner(problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        lf.set_num_threads(threads)
        return LstmfastStepper(problem)

    def fitter(self, task: Task, threads: int) -> Fitter:
        """Build the task's model."""
        lf.set_num_threads(threads)
        from lstmfast import layers, models

        return SequentialFitter(models.Sequential, layers, task)
