"""lstmfast itself."""

from __future__ import annotations

from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast._bench.engines.base import EVERY_OPTION, Engine, Fitter, Runner, Step, with_state
from lstmfast._bench.engines.sequential import SequentialFitter
from lstmfast._bench.problems import Array, Problem, Task


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
        return dx, self.problem.from_state_dict(self.rnn.grads())


def _stepper(problem: Problem, threads: int) -> Step:
    """Return a call of `lstmfast.LSTM` for a step."""
    lf.set_num_threads(threads)
    return with_state(make_lstm(problem), [x[:, None] for x in problem.steps()])


def _fitter(task: Task, threads: int) -> Fitter:
    lf.set_num_threads(threads)
    return SequentialFitter(lf, task)


def _version() -> str:
    """Return the version and the instruction set in use."""
    return f"{lf.__version__} ({lf.isa()})"


LSTMFAST = Engine("lstmfast", "lstmfast", _version, LstmfastRunner, _stepper, _fitter, EVERY_OPTION)
