"""A linear model of two inputs and two outputs, and data for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast.layers import (
    Concatenate,
    Dense,
    Input,
)
from lstmfast.losses import Loss
from lstmfast.models import Model

N = 6
RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((N, 3)), RNG.standard_normal((N, 2))
P, Q = RNG.standard_normal((N, 2)), RNG.standard_normal((N, 1))
WEIGHTS = [np.array([1.0, 2.0, 0.0, 0.5, 3.0, 1.0]), np.array([0.5, 0.0, 4.0, 1.0, 1.0, 2.0])]


def net() -> Model:
    a, b = Input((3,), name="a", dtype="float64"), Input((2,), name="b", dtype="float64")
    both = Concatenate()([a, b])
    model = Model([a, b], [Dense(2, name="p")(both), Dense(1, name="q")(both)], seed=0)
    rng = np.random.default_rng(1)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


class Cubed(Loss):
    """A loss of one's own."""

    def call(self, y_true: Any, y_pred: Any) -> tuple[float, Any]:
        error = y_pred - y_true
        return float(np.mean(abs(error) ** 3)), 3 * error * abs(error) / error.size
