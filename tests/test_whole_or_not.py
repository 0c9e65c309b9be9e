"""What fails leaves everything as it was, and what is copied is a copy."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.layers import Dense
from lstmfast.models import Sequential


def test_a_failed_first_build_can_be_mended() -> None:
    """Metrics of labels do not fit one column: the error comes when the model is built."""
    x, y = np.zeros((8, 2)), np.zeros((8, 2))
    model = Sequential([Dense(2)])
    model.compile("sgd", "mse", metrics=["sparse_categorical_accuracy"])
    with pytest.raises(ValueError):
        model.fit(x, y, verbose=0)
    assert not model.built
    model.compile("sgd", "mse")
    assert len(model.fit(x, y, verbose=0).history["loss"]) == 1


def test_add_and_pop_undo_themselves_where_the_metrics_do_not_fit() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["sparse_categorical_accuracy"])
    weights = model.get_weights()
    with pytest.raises(ValueError):
        model.add(Dense(3))
    assert (len(model.layers), model.output_shape) == (1, (None, 1))
    for mine, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, before)


def test_copies_have_optimizers_of_their_own() -> None:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    twin = copy.copy(model)
    model.optimizer.learning_rate = 0.5
    assert (model.optimizer.learning_rate, twin.optimizer.learning_rate) == (0.5, 0.01)
    assert twin.optimizer is not model.optimizer


def test_vjp_keeps_its_arguments() -> None:
    rng = np.random.default_rng(0)
    x, h0, c0 = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
    lengths, resets = np.array([4, 3]), np.zeros((2, 4), bool)
    weights = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    (y, _), vjp = lf.functional.lstm_vjp(x, *weights, h0=h0, c0=c0, lengths=lengths, resets=resets)
    first = vjp(np.ones_like(y))
    for array in (x, h0, c0):
        array += 1
    lengths[:], resets[:] = 1, True
    second = vjp(np.ones_like(y))
    for name in ("x", "w_ih", "w_hh", "h0", "c0"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_a_restored_lstm_goes_on_with_its_dropout_masks() -> None:
    rnn = lf.LSTM(2, 3, 2, dropout=0.5, seed=0)
    x = np.ones((4, 5, 2), np.float32)
    first = rnn(x, training=True)[0].copy()
    again = pickle.loads(pickle.dumps(rnn))
    second = rnn(x, training=True)[0]
    np.testing.assert_array_equal(again(x, training=True)[0], second)
    assert not np.array_equal(first, second)
