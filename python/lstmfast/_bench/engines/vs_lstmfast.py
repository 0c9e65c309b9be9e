"""lstmfast itself."""

from __future__ import annotations

import numpy as np

import lstmfast as lf
from lstmfast._bench.engines.base import Engine, Gradients, Runner
from lstmfast._bench.shapes import Array, Problem


class LstmfastRunner(Runner):
    """`lstmfast.LSTM` on one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rnn = lf.LSTM(problem.shape.I, problem.shape.H)
        self.rnn.load_state_dict(
            {
                "weight_ih_l0": problem.w_ih,
                "weight_hh_l0": problem.w_hh,
                "bias_ih_l0": problem.bias,
                "bias_hh_l0": np.zeros_like(problem.bias),
            }
        )

    def forward(self) -> object:
        """Run inference."""
        return self.rnn(self.problem.x)

    def train(self) -> object:
        """Run forward and backward."""
        self.rnn.zero_grad()
        self.rnn(self.problem.x, training=True)
        return self.rnn.backward(self.problem.dy)

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.rnn(self.problem.x)[0])

    def gradients(self) -> Gradients:
        """Return the gradients."""
        self.rnn.zero_grad()
        self.rnn(self.problem.x, training=True)
        dx, _ = self.rnn.backward(self.problem.dy)
        grads = self.rnn.grads()
        return Gradients(
            np.asarray(dx), grads["weight_ih_l0"], grads["weight_hh_l0"], grads["bias_ih_l0"]
        )


class LstmfastEngine(Engine):
    """lstmfast."""

    name = "lstmfast"
    module = "lstmfast"

    def version(self) -> str:
        """Return the version and the instruction set in use."""
        return f"{lf.__version__} ({lf.isa()})"

    def prepare(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        lf.set_num_threads(threads)
        return LstmfastRunner(problem)
