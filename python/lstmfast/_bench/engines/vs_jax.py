"""JAX: the equations in `lax.scan`, compiled by XLA."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Runner, Stepper, named_gradients
from lstmfast._bench.problems import Array, Problem


def _modules() -> tuple[Any, Any]:
    return importlib.import_module("jax"), importlib.import_module("jax.numpy")


def _lstm(jax: Any, params: Any, x: Any) -> Any:
    """Return y (B, T, H) of x (B, T, I); x W is one product for all steps."""
    numpy = jax.numpy
    of_x = numpy.einsum("bti,ig->tbg", x, params["kernel"]) + params["bias"]
    zero = numpy.zeros((x.shape[0], params["recurrent_kernel"].shape[0]), x.dtype)

    def step(state: Any, z: Any) -> Any:
        return _cell(jax, z + state[0] @ params["recurrent_kernel"], state[1])

    _, y = jax.lax.scan(step, (zero, zero), of_x)
    return y.swapaxes(0, 1)


def _cell(jax: Any, z: Any, c: Any) -> Any:
    numpy, sigmoid = jax.numpy, jax.nn.sigmoid
    i, f, g, o = numpy.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
    h = sigmoid(o) * numpy.tanh(c)
    return (h, c), h


class JaxRunner(Runner):
    """A scan on one problem."""

    def __init__(self, problem: Problem) -> None:
        jax, numpy = _modules()
        self.params = {name: numpy.asarray(value) for name, value in problem.params[0].items()}
        self.x, self.dy = numpy.asarray(problem.x), numpy.asarray(problem.dy)

        def gradients(params: Any, x: Any, dy: Any) -> Any:
            y, back = jax.vjp(lambda p, inputs: _lstm(jax, p, inputs), params, x)
            return y, back(dy)

        self.run = jax.jit(lambda params, x: _lstm(jax, params, x))
        self.run_gradients = jax.jit(gradients)

    def forward(self) -> Any:
        """Run inference."""
        return self.run(self.params, self.x).block_until_ready()

    def train(self) -> Any:
        """Run forward and backward."""
        _, grads = self.run_gradients(self.params, self.x, self.dy)
        grads[1].block_until_ready()
        return grads

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward())

    def gradients(self) -> Answers:
        """Return the gradients."""
        params, dx = self.train()
        return named_gradients(
            np.asarray(dx), [{name: np.asarray(value) for name, value in params.items()}]
        )


class JaxStepper(Stepper):
    """A compiled step."""

    def __init__(self, problem: Problem) -> None:
        jax, numpy = _modules()
        params = {name: numpy.asarray(value) for name, value in problem.params[0].items()}

        def step(weights: Any, state: Any, x: Any) -> Any:
            z = x @ weights["kernel"] + state[0] @ weights["recurrent_kernel"] + weights["bias"]
            return _cell(jax, z, state[1])

        self.params, self.run = params, jax.jit(step)
        self.steps = [numpy.asarray(x) for x in problem.x.swapaxes(0, 1)]
        self.zero = numpy.zeros((problem.shape.B, problem.shape.H), problem.x.dtype)
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.state: Any = (self.zero, self.zero)

    def step(self, t: int) -> Any:
        """Go on by one step."""
        self.state, y = self.run(self.params, self.state, self.steps[t])
        return y.block_until_ready()


class JaxEngine(Engine):
    """JAX."""

    name = "jax"
    module = "jax"

    def version(self) -> str:
        """Return JAX's version."""
        return str(_modules()[0].__version__)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem; XLA read its number of threads from the environment at the start."""
        return JaxRunner(problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return JaxStepper(problem)
