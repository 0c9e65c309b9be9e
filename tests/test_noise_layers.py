"""Layers that are random in training: what they draw, and what the gradient is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import layers
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD

LOW = -1.6732632423543772 * 1.0507009873554805  # of AlphaDropout
A = ((1 - 0.25) * (1 + 0.25 * LOW**2)) ** -0.5
SHIFT = -A * LOW * 0.25
MAKE: dict[str, Any] = {
    "dropout": lambda: layers.Dropout(0.25, seed=3),
    "alpha": lambda: layers.AlphaDropout(0.25, seed=3),
    "gaussian_dropout": lambda: layers.GaussianDropout(0.2, seed=3),
    "gaussian_noise": lambda: layers.GaussianNoise(0.5, seed=3),
    "spatial": lambda: layers.SpatialDropout1D(0.25, seed=3),
    "noise_shape": lambda: layers.Dropout(0.25, (1, None, 1), seed=3),
}


def drawn(layer: Any, *shape: int, x: float = 1.0) -> np.ndarray:
    result: np.ndarray = layer(np.full(shape, x), training=True)
    return result


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [("gaussian_dropout", 1.0, 0.5), ("gaussian_noise", 1.0, 0.5)],
)
def test_normal_noise(name: str, mean: float, deviation: float) -> None:
    """Moments of 400,000 numbers, each within five of its own standard deviations."""
    y = drawn(MAKE[name](), 1000, 400)
    z = ((y - mean) / deviation).ravel().astype(np.float64)
    n = z.size**0.5
    assert abs(z.mean()) < 5 / n
    assert abs((z**2).mean() - 1) < 5 * 2**0.5 / n
    assert abs((z**3).mean()) < 5 * 15**0.5 / n
    assert abs((z**4).mean() - 3) < 5 * 96**0.5 / n
    assert np.unique(z).size > 0.9 * z.size
    assert not np.array_equal(y, drawn(MAKE[name](), 1000, 400, x=0.0))


def test_alpha_dropout_has_two_values_and_keeps_moments() -> None:
    y = drawn(MAKE["alpha"](), 50, 40)
    np.testing.assert_allclose(np.unique(y), sorted([A + SHIFT, A * LOW + SHIFT]), rtol=1e-6)
    x = np.random.default_rng(0).standard_normal((500, 400)).astype(np.float32)
    z = MAKE["alpha"]()(x, training=True)
    assert abs(z.mean()) < 5 / z.size**0.5
    assert abs(z.var() - x.var()) < 5 * 2 / z.size**0.5  # its fourth moment is below 4


@pytest.mark.parametrize(
    ("layer", "shape", "same"),
    [
        (layers.SpatialDropout1D(0.5, seed=1), (6, 5, 8), (1,)),
        (layers.SpatialDropout2D(0.5, seed=1), (6, 5, 4, 8), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first", seed=1), (6, 5, 4, 8), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=1), (6, 5, 4, 2, 8), (1, 2, 3)),
        (layers.Dropout(0.5, (None, 1, None), seed=1), (6, 5, 8), (1,)),
        (layers.Dropout(0.5, [1, None, None], seed=1), (6, 5, 8), (0,)),
        (layers.AlphaDropout(0.5, (6, 5, 1), seed=1), (6, 5, 8), (2,)),
    ],
)
def test_noise_that_is_the_same_along_axes(layer: Any, shape: Any, same: Any) -> None:
    y = drawn(layer, *shape)
    assert np.ptp(y, axis=same).max() == 0
    other = np.ptp(y, axis=tuple(set(range(y.ndim)) - set(same)))
    assert other.min() > 0  # along the others it is not


@pytest.mark.isa
@pytest.mark.parametrize("name", MAKE)
def test_gradients(name: str) -> None:
    """y = f(h) of h = x·I for one sample of ones: dI[i, j] is the gradient of h[j], 2 y y' / n."""
    start, n = layers.Input((2, 8), dtype="float64"), 16
    dense = layers.Dense(8, use_bias=False, kernel_initializer="identity")
    model = Sequential([start, dense, MAKE[name]()])
    model.compile(SGD(1.0), "mse")
    loss = model.train_on_batch(np.ones((1, 2, 8)), np.zeros((1, 2, 8)))
    step = (np.eye(8) - dense.get_weights()[0])[0] * n / 2  # sums of y y' over the two rows
    np.testing.assert_allclose(step, (np.eye(8) - dense.get_weights()[0])[7] * n / 2)
    if name in ("dropout", "spatial", "noise_shape"):  # y y' = y²
        assert step.sum() == pytest.approx(loss * n)
        assert set(np.round(step * 9)) <= {0, 16, 32}
    elif name == "gaussian_dropout":
        assert step.sum() == pytest.approx(loss * n)
    elif name == "gaussian_noise":  # y' = 1
        assert loss * n >= (step**2 / 2).sum() - 1e-12
        assert abs(step.mean() / 2 - 1) < 5 * 0.5 / n**0.5
    else:
        kept = np.round(step / (A * (A + SHIFT)), 6)
        assert set(kept) <= {0.0, 1.0, 2.0}
        dropped = n - kept.sum()
        expected = kept.sum() * (A + SHIFT) ** 2 + dropped * (A * LOW + SHIFT) ** 2
        assert loss * n == pytest.approx(expected)


@pytest.mark.parametrize("name", MAKE)
def test_same_noise_for_any_threads_and_batch(name: str) -> None:
    whole = []
    for threads in (1, 3):
        lf.set_num_threads(threads)
        whole.append(drawn(MAKE[name](), 300, 20, 16))
    np.testing.assert_array_equal(*whole)
    np.testing.assert_array_equal(drawn(MAKE[name](), 7, 20, 16), whole[0][:7])
    layer = MAKE[name]()
    first, second = drawn(layer, 4, 20, 16), drawn(layer, 4, 20, 16)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", MAKE)
def test_without_training(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    mask = np.array([[True] * 4, [False] * 4, [True, False] * 2])
    layer = MAKE[name]()
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer.compute_mask(x, mask), mask)
    copy = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(copy(x, training=True), layer(x, training=True))


def test_activity_regularization_costs_what_it_says() -> None:
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    model = Sequential([layers.Input((2,)), layer])
    model.compile("sgd", "mse")
    x = np.array([[1.0, -2.0], [3.0, 0.0]], np.float32)
    assert model.evaluate(x, x, verbose=0) == pytest.approx((0.5 * 6 + 0.25 * 14) / 2)
    copy = layers.ActivityRegularization.from_config(layer.get_config())
    assert (copy.l1, copy.l2) == (0.5, 0.25)
    with pytest.raises(TypeError, match="activity_regularizer is given; expected l1 and l2"):
        layers.ActivityRegularization(activity_regularizer="l1")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.AlphaDropout(1.0), "rate is 1; expected a number from 0 to below 1"),
        (lambda: layers.GaussianNoise(2.0), "stddev is 2; expected a number from 0 to 1"),
        (lambda: layers.Dropout(0.1, ()), "expected 1 to 6 sizes of at least 1 or None"),
        (
            lambda: layers.Dropout(0.1, (None, 2, 1))(np.ones((2, 3, 4))),
            "expected one that noise of shape (?, 2, 1)",
        ),
        (
            lambda: layers.Dropout(0.1, (3, 1, 1))(np.ones((2, 3, 4)), training=True),
            "a batch has 2 samples; expected 3, as noise_shape has",
        ),
        (lambda: layers.SpatialDropout1D(0.1)(np.ones((2, 3))), "expected 2 axes"),
        (lambda: layers.SpatialDropout2D(0.1, "x"), "data_format is"),
    ],
)
def test_errors(make: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert message in str(caught.value)
    assert str(caught.value).startswith("[layers.")
