"""Models of one's own that take several arguments, and calls with other arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast.layers import (
    LSTM,
    Dense,
)
from lstmfast.models import Model

RNG = np.random.default_rng(0)


X = RNG.random((4, 5, 2)).astype(np.float32)


class Decoding(Model):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = LSTM(3, return_sequences=True)
        self.head = Dense(2)

    def call(self, y: Any, state: Any, cells: Any = None, training: Any = None) -> Any:
        return self.head(self.rnn(y, initial_state=[state, cells])), state


class Translating(Model):
    def __init__(self) -> None:
        super().__init__()
        self.reader = LSTM(3, return_state=True)
        self.decoder: Any = Decoding()

    def call(self, x: Any) -> Any:
        _, h, c = self.reader(x)
        found, _ = self.decoder(x, h, cells=c)
        return found


def test_models_inside_take_several_arguments() -> None:
    model = Translating()
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)
    _, h, c = model.reader(X)
    found, state = model.decoder(X, h, cells=c)
    np.testing.assert_array_equal(found, model.predict(X))
    np.testing.assert_array_equal(state, h)
    alone: Any = Decoding()
    assert alone(X, h, cells=c)[0].shape == (4, 5, 2)
    assert (alone(X, h, cells=h)[0] != alone(X, h, cells=c)[0]).any()
    with pytest.raises(TypeError, match="expected a list of 3"):
        alone(X)


class Doubling(Model):
    def __init__(self) -> None:
        super().__init__()
        self.head = Dense(1, kernel_initializer="ones")

    def call(self, x: Any, double: bool = False) -> Any:
        return self.head(x) * 2.0 if double else self.head(x)


def test_calls_with_other_arguments_are_graphs_of_the_same_layers() -> None:
    x = np.ones((1, 12), np.float32)
    for calls in ([True, False, True], [False, True, False]):
        model: Any = Doubling()
        found = [float(model(x, double=double)[0, 0]) for double in calls]
        assert found == [24.0 if double else 12.0 for double in calls]
        assert model.predict(x)[0, 0] == model(x)[0, 0] == 12.0
        assert model(x, True)[0, 0] == 24.0  # the second argument is not `training`
        model.compile("sgd", "mse")
        model.fit(x, [[0.0]], verbose=0)
        assert model(x, double=True)[0, 0] == 2 * model.predict(x)[0, 0] != 24.0
