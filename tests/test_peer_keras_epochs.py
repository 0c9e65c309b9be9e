"""Fifty epochs of training agree with live Keras, from the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]
# activation, dtype, how closely losses agree: roundings grow from step to step, those of relu more
CASES = [("tanh", "float32", 1e-4), ("relu", "float64", 1e-6)]


def losses(of: Any, activation: str, dtype: str) -> Any:
    layers, rng = of.layers, np.random.default_rng(0)
    start = layers.Input((7, 2), dtype=dtype)
    y = layers.LSTM(8, activation=activation, return_sequences=True, dtype=dtype)(start)
    y = layers.LSTM(6, activation=activation, dtype=dtype)(y)
    model = of.models.Model(start, layers.Dense(1, dtype=dtype)(y))
    model.set_weights([rng.normal(size=w.shape) * 0.3 for w in model.get_weights()])
    x = rng.normal(size=(8, 7, 2)).astype(dtype)
    # a power of 2, for Keras keeps it in float32
    model.compile(of.optimizers.Adam(2.0**-7), "mse")
    how = {"epochs": 50, "batch_size": 4, "shuffle": False, "verbose": 0}
    return model.fit(x, x.sum(axis=(1, 2))[:, None] / 4, **how).history["loss"]


@pytest.mark.parametrize(("activation", "dtype", "near"), CASES)
def test_losses(activation: str, dtype: str, near: float) -> None:
    ours, theirs = (losses(of, activation, dtype) for of in (lf, keras))
    assert ours[-1] < 0.8 * ours[0]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=near)
