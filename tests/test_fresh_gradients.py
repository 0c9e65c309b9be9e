"""A step's gradients hold nothing of the step before: the first term overwrites the old memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
from lstmfast.layers import (
    LSTM,
    Add,
    Bidirectional,
    Dense,
    Input,
    Masking,
    RepeatVector,
    TimeDistributed,
)
from lstmfast.models import Model, Sequential
from lstmfast.optimizers import SGD

Array = npt.NDArray[Any]

T, I, H = 5, 3, 20


def row(*layers: Any) -> Callable[[], Any]:
    return lambda: Sequential([Input((T, I)), *[make() for make in layers], Dense(2)], seed=1)


def twice() -> Model:
    """One layer on two values: it overwrites its gradients at the first and adds at the second."""
    x = Input((T, I))
    shared = LSTM(H, return_sequences=True)
    wide = Dense(I)(shared(x))
    return Model(x, Dense(2)(LSTM(H)(Add()([shared(wide), shared(x)]))))


MODELS: dict[str, Callable[[], Any]] = {
    "plain": row(lambda: LSTM(H)),
    "no bias": row(lambda: LSTM(H, use_bias=False)),
    "extras": row(lambda: LSTM(H, peephole=True), lambda: RepeatVector(T),
                  lambda: LSTM(H, layer_norm=True)),
    "weight drop": row(lambda: LSTM(H, weight_drop=0.3)),
    "both directions": row(lambda: Bidirectional(LSTM(H, return_sequences=True)),
                           lambda: TimeDistributed(Dense(4)), lambda: LSTM(H)),
    "chunks": row(lambda: LSTM(H, recompute_every=2)),
    "masked": row(lambda: Masking(0.0), lambda: LSTM(H)),
    "used twice": twice,
}  # fmt: skip


def random_batch(inputs: int = I, outputs: int = 2, dtype: str = "float32") -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, T, inputs)), rng.normal(size=(4, outputs))
    return x.astype(dtype), y.astype(dtype)


def check_same(one: list[Array], other: list[Array]) -> None:
    for weight, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(weight, same)


def step_after(other: Array, batch: tuple[Array, Array], make: Callable[[], Any]) -> list[Array]:
    """The weights after a step on `batch`, which followed a step on `other` from the same start."""
    model = make()
    rng = np.random.default_rng(2)
    start = [rng.normal(size=weight.shape, scale=0.3) for weight in model.get_weights()]
    model.set_weights(start)
    model.compile(optimizer=SGD(0.1), loss="mse")
    model.train_on_batch(other, np.ones((len(other), 2), "f"))
    model.set_weights(start)
    model.train_on_batch(*batch)
    return list(model.get_weights())


@pytest.mark.parametrize("name", MODELS)
def test_no_trace_of_the_step_before(name: str) -> None:
    batch = random_batch()
    after = [step_after(scale * batch[0], batch, MODELS[name]) for scale in (3, 0)]
    check_same(*after)


def test_a_batch_of_masked_steps_has_no_gradients_in_the_recurrence() -> None:
    x, y = random_batch()
    model = MODELS["masked"]()
    model.compile(optimizer=SGD(0.1), loss="mse")
    model.train_on_batch(x, y)
    before = model.layers[1].get_weights()
    assert len(before) == 3
    model.train_on_batch(np.zeros_like(x), y)
    check_same(before, model.layers[1].get_weights())


def test_backward_adds_unless_zero_grad_came_before() -> None:
    rng = np.random.default_rng(0)
    rnn = lf.LSTM(I, H, num_layers=2, bidirectional=True, seed=0)
    x = rng.normal(size=(T, 4, I)).astype("f")

    def grads_after(*inputs: Array) -> dict[str, Array]:
        rnn.zero_grad()
        for each in inputs:
            y, _ = rnn(each, training=True)
            rnn.backward(np.ones_like(y))
        return {name: np.array(grad) for name, grad in rnn.grads().items()}

    one, other = grads_after(x), grads_after(2 * x)
    both, again = grads_after(x, 2 * x), grads_after(x)
    assert len(one) == 16
    for name, grad in one.items():
        assert np.abs(grad).max() > 0
        np.testing.assert_array_equal(again[name], grad)
        np.testing.assert_array_equal(both[name], grad + other[name])  # rounded once, as here


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_of_an_ignored_step_does_not_stay(dtype: str) -> None:
    """Nor in what no weight uses: a norm over all gradients would meet it in every later step."""
    batch = random_batch(2, 1, dtype)
    model = Sequential([Input((T, 2)), LSTM(10), Dense(1)], seed=0, dtype=dtype)
    start = model.get_weights()
    after = []
    for first in (batch[0], np.full_like(batch[0], np.nan)):
        model.compile(optimizer=SGD(0.1, global_clipnorm=0.1), loss="mse")
        model.fit(first, batch[1], epochs=1, verbose=0, on_nonfinite="ignore", shuffle=False)
        model.set_weights(start)
        model.train_on_batch(*batch)
        after.append(list(model.get_weights()))
    check_same(*after)


def test_a_layer_that_was_frozen_for_a_step_starts_from_zero() -> None:
    batch = random_batch()
    model = MODELS["both directions"]()
    start = model.get_weights()
    after = []
    for frozen in (False, True):
        model.compile(optimizer=SGD(0.1), loss="mse")
        for trainable in (True, not frozen, True):
            model.layers[0].trainable = trainable
            model.set_weights(start)
            model.train_on_batch(*batch)
        after.append(list(model.get_weights()))
    check_same(*after)


def test_layers_that_two_models_train() -> None:
    x, y = random_batch(outputs=H)
    inputs = Input((T, I))
    h = LSTM(H)(inputs)
    one, other = Model(inputs, h), Model(inputs, Dense(H)(h))
    start = one.get_weights()
    after = []
    for between in (x, np.zeros_like(x)):
        for model in (one, other):
            model.compile(optimizer=SGD(0.1), loss="mse")
        one.train_on_batch(x, y)
        other.train_on_batch(between, y)
        one.set_weights(start)
        one.train_on_batch(x, y)
        after.append(list(one.get_weights()))
    check_same(*after)
