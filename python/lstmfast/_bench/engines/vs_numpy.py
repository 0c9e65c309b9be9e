"""The reference in plain NumPy, with BLAS on the same number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast import reference
from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Fitter, Runner, Stepper, named_gradients
from lstmfast._bench.options import OPTIONS
from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.tasks import Task
from lstmfast._layouts import KERAS_WEIGHTS


class NumpyRunner(Runner):
    """`lstmfast.reference` on one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.rng = np.random.default_rng(0)
        self.call: dict[str, Any] = {
            "options": problem.option.cell(problem.shape),
            "lengths": problem.lengths,
            "dtype": problem.x.dtype,
        }

    def _masks(self) -> reference.Masks | None:
        """Draw what is random in training."""
        option, x = self.problem.option, self.problem.x
        if not option.random:
            return None
        B, T, _ = x.shape
        outputs, columns = self.problem.params[0]["recurrent_kernel"].shape
        rates = option.keywords

        def drawn(name: str, *size: int) -> Array | None:
            if name not in rates:
                return None
            rate = float(rates[name])
            hit: Array = self.rng.random(size, np.float32) < rate
            there = 1.0 if name.startswith("zoneout") else 0.0
            elsewhere = 0.0 if there else 1.0 / (1.0 - rate)
            return np.where(hit, there, elsewhere).astype(x.dtype, copy=False)

        each_step = rates.get("recurrent_dropout_kind") == "step"
        return reference.Masks(
            input=drawn("input_dropout", B, x.shape[2]),
            recurrent=drawn("recurrent_dropout", *((B, T) if each_step else (B,)), outputs),
            weight=drawn("weight_drop", outputs, columns),
            zoneout_h=drawn("zoneout_h", B, T, outputs),
            zoneout_c=drawn("zoneout_c", B, T, self.problem.shape.H),
        )

    def _forward(self, training: bool) -> tuple[Array, Any]:
        x, params = self.problem.x, self.problem.params
        call = {**self.call, "keep_cache": training}
        if len(params) == 2:
            y, _, stack = reference.stack_forward(x, params, bidirectional=True, **call)
            return y, stack
        masks = self._masks() if training else None
        y, _, cache = reference.lstm_forward(x, params[0], masks=masks, **call)
        return y, cache

    def _train(self) -> tuple[Array, list[dict[str, Array]]]:
        _, cache = self._forward(training=True)
        if len(self.problem.params) == 2:
            dx, _, _, of_directions = reference.stack_backward(self.problem.dy, None, None, cache)
            return dx, of_directions
        dx, _, _, grads = reference.lstm_backward(self.problem.dy, None, None, cache)
        return dx, [grads]

    def forward(self) -> object:
        """Run inference."""
        return self._forward(training=False)

    def train(self) -> object:
        """Run forward and backward."""
        return self._train()

    def output(self) -> Array:
        """Return y."""
        return self._forward(training=False)[0]

    def gradients(self) -> Answers:
        """Return the gradients."""
        return named_gradients(*self._train())


class NumpyStepper(Stepper):
    """`lstmfast.reference`, a call a step."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.state: tuple[Array | None, Array | None] = (None, None)

    def reset(self) -> None:
        """Forget the state."""
        self.state = (None, None)

    def step(self, t: int) -> Array:
        """Go on by one step."""
        x, (params,) = self.problem.x[:, t : t + 1], self.problem.params
        y, self.state, _ = reference.lstm_forward(
            x, params, *self.state, dtype=x.dtype, keep_cache=False
        )
        return y[:, 0]


class NumpyFitter(Fitter):
    """The training loop of `lstmfast.reference`."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rows = len(task.x) - task.held_out
        self.rng = np.random.default_rng(0)
        self.model, self.adam = self._build()

    def _build(self) -> tuple[reference.Chain, reference.Adam]:
        *of_lstm, dense_kernel, dense_bias = self.task.weights()
        lstm = reference.LstmLayer(
            dict(zip(KERAS_WEIGHTS, of_lstm, strict=True)),
            reference.CellOptions(activation=self.task.activation),
            dtype=np.float32,
        )
        dense = reference.DenseLayer(
            {"kernel": dense_kernel, "bias": dense_bias},
            self.task.dense_activation,
            dtype=np.float32,
        )
        return reference.Chain([lstm, dense]), reference.Adam()

    def _train(
        self, model: reference.Chain, adam: reference.Adam, count: int, shuffle: bool
    ) -> list[float]:
        task, rows = self.task, self.rows
        losses = []
        for _ in range(count):
            batches = reference.in_order(rows, task.batch_size)
            if shuffle:
                order = self.rng.permutation(rows)
                batches = [order[batch] for batch in batches]
            history = reference.fit(
                model, task.x, task.y, loss=task.loss, optimizer=adam, epochs=[batches]
            )
            if task.held_out:
                reference.LOSSES[task.loss](model.forward(task.x[rows:]), task.y[rows:])
            losses += history.epochs
        return losses

    def fit(self, count: int) -> object:
        """Train on."""
        return self._train(self.model, self.adam, count, shuffle=True)

    def losses(self, count: int) -> Array:
        """Train a fresh model in order."""
        return np.asarray(self._train(*self._build(), count, shuffle=False))

    def predict(self) -> object:
        """Predict the first rows."""
        return self.model.forward(self.task.x[:3])


class NumpyEngine(Engine):
    """The NumPy reference; BLAS read its number of threads from the environment at the start."""

    name = "numpy"
    module = "numpy"
    options = frozenset(option.name for option in OPTIONS)

    def version(self) -> str:
        """Return NumPy's version."""
        return np.__version__

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return NumpyRunner(problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return NumpyStepper(problem)

    def fitter(self, task: Task, threads: int) -> Fitter:
        """Build the task's model."""
        return NumpyFitter(task)
