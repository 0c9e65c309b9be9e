"""JAX: the equations in `lax.scan`, compiled by XLA."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of, with_state
from lstmfast._bench.problems import Problem


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
    """A scan on one problem; XLA read its number of threads from the environment at the start."""

    def __init__(self, problem: Problem, threads: int) -> None:
        jax = importlib.import_module("jax")
        arrays = problem.params[0], problem.x, problem.dy
        self.params, self.x, self.dy = jax.tree.map(jax.numpy.asarray, arrays)
        lstm = partial(_lstm, jax)

        def train(params: Any, x: Any, dy: Any) -> Any:
            y, back = jax.vjp(lstm, params, x)
            grads, dx = back(dy)
            return y, (dx, [grads])

        self.run, self.run_training = jax.jit(lstm), jax.jit(train)

    def forward(self) -> Any:
        """Run inference."""
        return self.run(self.params, self.x).block_until_ready()

    def train(self) -> Any:
        """Run forward and backward."""
        _, found = self.run_training(self.params, self.x, self.dy)
        found[0].block_until_ready()
        return found


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a compiled step."""
    jax = importlib.import_module("jax")

    @jax.jit  # type: ignore[untyped-decorator]
    def run(params: Any, state: Any, x: Any) -> Any:
        z = x @ params["kernel"] + state[0] @ params["recurrent_kernel"] + params["bias"]
        return _cell(jax, z, state[1])

    params, steps = jax.tree.map(jax.numpy.asarray, (problem.params[0], problem.steps()))
    zero = jax.numpy.zeros((problem.shape.B, problem.shape.H), problem.x.dtype)

    def advance(x: Any, state: Any) -> tuple[Any, Any]:
        state, y = run(params, state, x)
        return y.block_until_ready(), state

    return with_state(advance, steps, (zero, zero))


JAX = Engine("jax", "jax", partial(version_of, "jax"), JaxRunner, _stepper)
