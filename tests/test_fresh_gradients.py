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
    rng = np.random.default_rng(0)
    batch = (rng.normal(size=(4, T, I)).astype("f"), rng.normal(size=(4, 2)).astype("f"))
    others = [scale * rng.normal(size=(4, T, I)).astype("f") for scale in (3, 0)]
    after = [step_after(other, batch, MODELS[name]) for other in others]
    for one, two in zip(*after, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_batch_of_masked_steps_has_no_gradients_in_the_recurrence() -> None:
    rng = np.random.default_rng(0)
    model = MODELS["masked"]()
    model.compile(optimizer=SGD(0.1), loss="mse")
    y = np.ones((4, 2), "f")
    model.train_on_batch(rng.normal(size=(4, T, I)).astype("f"), y)
    before = model.layers[1].get_weights()
    model.train_on_batch(np.zeros((4, T, I), "f"), y)
    for one, two in zip(before, model.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_backward_after_zero_grad_holds_nothing_of_the_call_before() -> None:
    rng = np.random.default_rng(0)
    rnn = lf.LSTM(I, H, num_layers=2, bidirectional=True, seed=0)
    x = rng.normal(size=(T, 4, I)).astype("f")
    grads = []
    for first in (x, np.zeros_like(x)):
        for given in (first, x):
            rnn.zero_grad()
            y, _ = rnn(given, training=True)
            rnn.backward(np.ones_like(y))
        grads.append({name: np.array(grad) for name, grad in rnn.grads().items()})
    assert grads[0].keys() == grads[1].keys() != set()
    for name, grad in grads[0].items():
        np.testing.assert_array_equal(grad, grads[1][name])
        assert np.abs(grad).max() > 0
