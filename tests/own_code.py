"""Losses and metrics as a user writes them; at module level, so that they can be pickled."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast.layers import LSTM, Dense, Dropout
from lstmfast.losses import Loss
from lstmfast.metrics import Metric
from lstmfast.models import Sequential

Array = np.ndarray[Any, Any]


def squared(y_true: Array, y_pred: Array) -> tuple[float, Array]:
    """The mean squared error; its gradient, (d + d) / n, has the bits of the core's."""
    d = y_pred - y_true.reshape(y_pred.shape)
    return float(np.mean(np.square(d, dtype=np.float64))), (d + d) * d.dtype.type(1 / d.size)


class Pinball(Loss):
    def __init__(self, quantile: float = 0.5) -> None:
        super().__init__()
        self.quantile = quantile

    def call(self, y_true: Array, y_pred: Array) -> tuple[Any, Array]:
        error = y_true - y_pred
        slope = np.where(error > 0, self.quantile, self.quantile - 1)
        return np.mean(slope * error), -slope / error.size

    def get_config(self) -> dict[str, Any]:
        return {"quantile": self.quantile}


class Scaled(Loss):
    """Has an argument, and nothing that says it to a file."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def call(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
        value, gradient = squared(y_true, y_pred)
        return self.factor * value, self.factor * gradient


class Worst(Metric):
    direction = "min"

    def reset_state(self) -> None:
        self.largest = 0.0

    def update_state(self, y_true: Array, y_pred: Array) -> None:
        self.largest = max(self.largest, float(abs(y_true - y_pred).max()))

    def result(self) -> float:
        return self.largest


def off_by(y_true: Array, y_pred: Array) -> Array:
    return abs(y_true - y_pred)


def model_and_data(
    loss: Any, metrics: Any = None, samples: int = 11, dtype: str = "float32"
) -> tuple[Sequential, Array, Array]:
    rng = np.random.default_rng(1)
    x, y = rng.random((samples, 3, 1)), rng.random((samples, 2))
    model = Sequential([LSTM(5, input_shape=(3, 1)), Dropout(0.2), Dense(2)], seed=0, dtype=dtype)
    model.compile("adam", loss, metrics=metrics)
    return model, x, y
