"""The reference in plain NumPy, float32, with BLAS on the same number of threads."""

from __future__ import annotations

import numpy as np

from lstmfast import reference
from lstmfast._bench.engines.base import Engine, Gradients, Runner
from lstmfast._bench.shapes import Array, Problem


class NumpyRunner(Runner):
    """`lstmfast.reference` on one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.params = {
            "kernel": np.ascontiguousarray(problem.w_ih.T),
            "recurrent_kernel": np.ascontiguousarray(problem.w_hh.T),
            "bias": problem.bias,
        }

    def _forward(self, keep_cache: bool) -> tuple[Array, reference.LstmCache]:
        y, _, cache = reference.lstm_forward(
            self.problem.x, self.params, dtype=np.float32, keep_cache=keep_cache
        )
        return y, cache

    def _train(self) -> tuple[Array, dict[str, Array]]:
        _, cache = self._forward(keep_cache=True)
        dx, _, _, grads = reference.lstm_backward(self.problem.dy, None, None, cache)
        return dx, grads

    def forward(self) -> object:
        """Run inference."""
        return self._forward(keep_cache=False)

    def train(self) -> object:
        """Run forward and backward."""
        return self._train()

    def output(self) -> Array:
        """Return y."""
        return self._forward(keep_cache=False)[0]

    def gradients(self) -> Gradients:
        """Return the gradients."""
        dx, grads = self._train()
        return Gradients(dx, grads["kernel"].T, grads["recurrent_kernel"].T, grads["bias"])


class NumpyEngine(Engine):
    """The NumPy reference."""

    name = "numpy"
    module = "numpy"

    def version(self) -> str:
        """Return NumPy's version."""
        return np.__version__

    def prepare(self, problem: Problem, threads: int) -> Runner:
        """Load the problem; BLAS read its number of threads from the environment at the start."""
        return NumpyRunner(problem)
