"""Small trainings as in tutorials: data and models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._bench.problems import Array


@dataclass(frozen=True)
class Task:
    """LSTM(units, activation) and Dense(outputs, dense_activation), trained with Adam.

    `count` epochs are run, or calls of `fit` of one epoch each where `by_call`; the last
    `held_out` samples validate. `goal`: the most seconds for all of them.
    """

    name: str
    x: Array  # (N, T, I)
    y: Array  # (N, outputs)
    units: int
    activation: str
    dense_activation: str
    loss: str
    batch_size: int
    count: int
    goal: float
    held_out: int = 0
    by_call: bool = False

    def weights(self) -> list[Array]:
        """Return the first weights in Keras's order and layouts, the same for every engine."""
        rng = np.random.default_rng(1)
        inputs, H, outputs = self.x.shape[2], self.units, self.y.shape[1]
        sizes = [(inputs, 4 * H), (H, 4 * H), (4 * H,), (H, outputs), (outputs,)]
        return [rng.uniform(-0.1, 0.1, size).astype(np.float32) for size in sizes]


def _counting(outputs: int) -> tuple[Array, Array]:
    """Return 15 rows of three numbers in a row, and the next ones, in tenths."""
    x = np.arange(45, dtype=np.float32).reshape(15, 3, 1) / 10.0
    return x, x[:, -1] + np.arange(1, outputs + 1, dtype=np.float32) / 10.0


def _echo() -> tuple[Array, Array]:
    """Return one row of five numbers from 0 to 9, one-hot, and the second of them."""
    numbers = np.array([3, 7, 0, 9, 4])
    x = np.eye(10, dtype=np.float32)[numbers][None]
    return x, x[:, 1]


TASKS = (
    Task("one_to_many", *_counting(2), 50, "relu", "linear", "mse", 3, 1000, 0.040, held_out=3),
    Task("many_to_one", *_counting(1), 50, "relu", "linear", "mse", 32, 1000, 0.060),
    Task(
        "echo", *_echo(), 25, "tanh", "softmax", "categorical_crossentropy", 1, 10_000, 0.6,
        by_call=True,
    ),
)  # fmt: skip
