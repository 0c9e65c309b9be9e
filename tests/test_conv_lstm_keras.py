"""ConvLSTM1D and ConvLSTM2D against the expected values of Keras's own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import layer_errors
from lstmfast import initializers, layers


def filled(of: Any, **options: Any) -> Any:
    """A layer with constant weights, as these tests have it."""
    return of(
        kernel_size=3,
        kernel_initializer=initializers.Constant(0.01),
        recurrent_initializer=initializers.Constant(0.02),
        **options,
    )


def test_values_of_keras() -> None:
    bias = {"filters": 2, "bias_initializer": initializers.Constant(0.03)}
    x = np.arange(120).reshape(2, 3, 4, 5).astype("float32") / 10
    expected: Any = [
        [[0.40807986, 0.40807986], [0.46421072, 0.46421072]],
        [[0.80933154, 0.80933154], [0.8233646, 0.8233646]],
    ]
    np.testing.assert_allclose(filled(layers.ConvLSTM1D, **bias)(x), expected, atol=1e-6)
    x = np.arange(480).reshape(2, 3, 4, 4, 5).astype("float32") / 100
    expected = [
        [[[0.48694518] * 2, [0.50237733] * 2], [[0.5461202] * 2, [0.5598283] * 2]],
        [[[0.8661607] * 2, [0.86909103] * 2], [[0.8774414] * 2, [0.8800861] * 2]],
    ]
    np.testing.assert_allclose(filled(layers.ConvLSTM2D, **bias)(x), expected, atol=1e-6)


def test_sums_of_keras() -> None:
    """Of ConvLSTMCell, which is a layer of one step here, and of ConvLSTM with a first state."""
    x = np.arange(150).reshape(2, 1, 5, 5, 3).astype("float32") / 10
    states = [np.arange(200).reshape(2, 5, 5, 4).astype("float32") / 10] * 2
    layer = filled(layers.ConvLSTM2D, filters=4, padding="same", return_state=True)
    y, h, c = layer(x, initial_state=states)
    assert [float(each.sum()) for each in (y, h)] == pytest.approx([188.89502] * 2, rel=1e-6)
    assert float(c.sum()) == pytest.approx(2170.444, rel=1e-6)
    x = np.arange(450).reshape(2, 3, 5, 5, 3).astype("float32") / 100
    y = filled(layers.ConvLSTM2D, filters=4, padding="same")(
        x, initial_state=[each / 10 for each in states]
    )
    assert float(y.sum()) == pytest.approx(119.812454, rel=1e-6)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize(
    ("options", "step", "ends"),
    [
        ({"padding": "same"}, 4, (4,)),
        ({"recurrent_dropout": 0.5}, 8, (6,)),
        ({"return_sequences": True}, 8, (2, 6)),
    ],
)
def test_shapes_of_keras(axes: int, options: Any, step: int, ends: tuple[int, ...]) -> None:
    layer = getattr(layers, f"ConvLSTM{axes}D")(5, 3, **options)
    y = layer(np.ones((3, 2, *[step] * axes, 3)), training="recurrent_dropout" in options)
    assert y.shape == (3, *ends[:-1], *[ends[-1]] * axes, 5)
    assert (len(layer.trainable_weights), len(layer.non_trainable_weights)) == (3, 0)


X = np.zeros((2, 3, 4, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.ConvLSTM1D(2, 5)(X), ValueError,
         "(4, 3); expected (positions, features) with at least 5 positions"),
        (lambda: layers.ConvLSTM1D(2, 2)(X[0]), ValueError,
         "(?, 3); expected (steps, positions, features)"),
        (lambda: layers.ConvLSTM2D(2, 2)(X), ValueError,
         "(?, 4, 3); expected (steps, rows, columns, features)"),
        (lambda: layers.ConvLSTM1D(0, 2), ValueError, "filters is 0; expected an integer from 1"),
        (lambda: layers.ConvLSTM2D(2, (2,)), ValueError, "kernel_size is (2,); expected an"),
        (lambda: layers.ConvLSTM1D(2, 2, padding="causal"), ValueError, "padding is"),
        (lambda: layers.ConvLSTM2D(1, 1, 2, "same", dilation_rate=3), ValueError,
         "dilation_rate is 3; expected 1 with strides above 1"),
        (lambda: layers.ConvLSTM2D(1, 1, data_format="channels_first"), ValueError,
         "data_format='channels_first' is not available"),
        (lambda: layers.ConvLSTM1D(1, 1, activation="softmax"), ValueError, "activation is"),
        (lambda: layers.ConvLSTM1D(1, 1, dropout=1.0), ValueError, "dropout is 1"),
        (lambda: layers.ConvLSTM1D(1, 1, units=2), TypeError, "units"),
        (lambda: layers.ConvLSTM1D(2, 2)(X, initial_state=[X[:, 0]] * 2), ValueError,
         "initial h of a sample has shape (4, 3); expected (3, 2)"),
        (lambda: layers.ConvLSTM1D(2, 2)(X, initial_state=[X[:, 0]]), ValueError,
         "initial_state has 1 arrays; expected 2"),
        (lambda: layers.ConvLSTM1D(2, 2)(X, mask=np.ones((2, 4), bool)), ValueError,
         "mask has shape (2, 4); expected (2, 3): one value for each step of x"),
        (lambda: layers.Bidirectional(layers.ConvLSTM1D(2, 2)), TypeError, "Bidirectional"),
    ],
)  # fmt: skip
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    layer_errors.check_layer_error(make, error, message)


def test_other_features_are_refused() -> None:
    layer_errors.check_other_features(layers.ConvLSTM1D(2, 2), X)
