"""The reference in plain NumPy, with BLAS on the same number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lstmfast import reference
from lstmfast._bench.engines.base import EVERY_OPTION, Engine, Fitter, Runner, Step, with_state
from lstmfast._bench.problems import Array, Problem, Toy
from lstmfast._layouts import KERAS_WEIGHTS


class NumpyRunner(Runner):
    """`lstmfast.reference`; BLAS read its number of threads from the environment at the start."""

    def __init__(self, problem: Problem, threads: int) -> None:
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

    def forward(self) -> Array:
        """Run inference."""
        return self._forward(training=False)[0]

    def train(self) -> Any:
        """Run forward and backward."""
        _, cache = self._forward(training=True)
        if len(self.problem.params) == 2:
            dx, _, _, of_directions = reference.stack_backward(self.problem.dy, None, None, cache)
            return dx, of_directions
        dx, _, _, grads = reference.lstm_backward(self.problem.dy, None, None, cache)
        return dx, [grads]


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of `lstmfast.reference` for a step."""
    (params,) = problem.params

    def advance(x: Array, state: Any) -> tuple[Array, Any]:
        y, state, _ = reference.lstm_forward(x, params, *state, dtype=x.dtype, keep_cache=False)
        return y, state

    return with_state(advance, [x[:, None] for x in problem.steps()], (None, None))


class NumpyFitter(Fitter):
    """The training loop of `lstmfast.reference`."""

    def __init__(self, toy: Toy, threads: int) -> None:
        self.toy = toy
        self.rows = len(toy.x) - toy.held_out
        self.rng = np.random.default_rng(0)
        self.model, self.adam = self._build()

    def _build(self) -> tuple[reference.Chain, reference.Adam]:
        *of_lstm, dense_kernel, dense_bias = self.toy.weights()
        lstm = reference.LstmLayer(
            dict(zip(KERAS_WEIGHTS, of_lstm, strict=True)),
            reference.CellOptions(activation=self.toy.activation),
            dtype=np.float32,
        )
        dense = reference.DenseLayer(
            {"kernel": dense_kernel, "bias": dense_bias},
            self.toy.dense_activation,
            dtype=np.float32,
        )
        return reference.Chain([lstm, dense]), reference.Adam()

    def _train(
        self, model: reference.Chain, adam: reference.Adam, count: int, shuffle: bool
    ) -> list[float]:
        toy, rows = self.toy, self.rows

        def epochs() -> Iterator[list[Array]]:
            for _ in range(count):
                order = self.rng.permutation(rows) if shuffle else np.arange(rows)
                yield [order[batch] for batch in reference.in_order(rows, toy.batch_size)]
                if toy.held_out:
                    reference.LOSSES[toy.loss](model.forward(toy.x[rows:]), toy.y[rows:])

        return reference.fit(
            model, toy.x, toy.y, loss=toy.loss, optimizer=adam, epochs=epochs()
        ).epochs

    def fit(self, count: int) -> object:
        """Train on."""
        return self._train(self.model, self.adam, count, shuffle=True)

    def losses(self, count: int) -> Array:
        """Train a fresh model in order."""
        return np.asarray(self._train(*self._build(), count, shuffle=False))

    def predict(self) -> object:
        """Predict the first rows."""
        return self.model.forward(self.toy.x[:3])


NUMPY = Engine(
    "numpy",
    "numpy",
    lambda: np.__version__,
    NumpyRunner,
    _stepper,
    NumpyFitter,
    EVERY_OPTION,
    holds=True,
)
